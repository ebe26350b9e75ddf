select day, sum("count") as events
from {{ source('raw', 'events') }}
where day = '{{ partition_key }}'
group by day
