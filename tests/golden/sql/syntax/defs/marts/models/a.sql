select day,
       sum(flights)) as flights
from {{ ref('daily') }}
