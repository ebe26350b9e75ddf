select c.country, count(distinct o.id) as orders, sum(i.quantity * i.price) as revenue
from shop.orders as o
join shop.items as i on i.order_id = o.id
join shop.customers as c on c.id = o.customer_id
group by c.country
