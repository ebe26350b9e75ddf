select
    c.id as customer_id,
    c.name,
    c.email,
    c.country,
    count(o.order_id) as orders,
    coalesce(sum(o.amount), 0) as spent
from {{ source('raw', 'customers') }} c
left join {{ ref('marts/orders') }} o on o.customer_id = c.id
group by all
