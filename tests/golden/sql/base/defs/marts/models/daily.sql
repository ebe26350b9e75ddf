-- Flights by day.
select day, origin, count(*) as flights, avg(delay) as delay
from {{ source('raw', 'flights') }}
group by all
