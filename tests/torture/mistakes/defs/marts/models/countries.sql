select c.country, count(*) as orders, sum(o.cent) as cents
from {{ source('clean', 'orders') }} o
join {{ source('raw', 'custmers') }} c on c.id = o.customer_id
group by c.country
