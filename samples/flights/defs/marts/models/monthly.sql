{{ config(materialized='incremental', unique_key='month') }}
select
    date_trunc('month', day)::date as month,
    sum(flights)::bigint as flights,
    sum(late)::bigint as late
from {{ ref('daily_delays') }}
{% if is_incremental() %}
where day >= (select max(month) from {{ this }})
{% endif %}
group by 1
