{{ config(materialized='incremental', unique_key='day') }}
select day, sum(flights) as flights
from {{ ref('daily') }}
{% if is_incremental() %}
where day >= (select max(days) from {{ this }})
{% endif %}
group by day
