{{ config(materialized='incremental', unique_key='order_id') }}
with paid as (
    select order_id, sum(amount) as amount
    from {{ ref('staging/payments') }}
    group by order_id
)
select o.order_id, o.customer_id, o.ordered_at, o.status, o.is_sale, coalesce(p.amount, 0) as amount
from {{ ref('staging/orders') }} o
left join paid p using (order_id)
{% if is_incremental() %}
where o.ordered_at >= (select max(ordered_at) from {{ this }})
{% endif %}
