select date_trunc('month', ordered_at)::date as month, sum(amount) as revenue, count(*) as orders
from {{ ref('marts/orders') }}
where is_sale and amount >= {{ var('small_order') }}
group by 1
