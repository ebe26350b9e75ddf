-- Delays of each origin, day by day.
select
    day,
    origin,
    count(*) as flights,
    avg(delay) as delay,
    count(*) filter (where is_late) as late
from {{ ref('staging/flights') }}
group by day, origin
