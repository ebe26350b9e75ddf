select c.country, count(*) as orders, sum(o.cents) as cents
from {{ source('clean', 'orders') }} o
join {{ source('raw', 'customers') }} c on c.id = o.customer_id
group by c.country
