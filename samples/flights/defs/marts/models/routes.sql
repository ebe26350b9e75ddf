{{ config(materialized='view') }}
select
    route,
    count(*) as flights,
    min(distance) as distance,
    median(delay) as median_delay
from {{ ref('staging/flights') }}
group by route
