select id as order_id, customer_id, ordered_at, status, status <> 'returned' as is_sale
from {{ source('raw', 'orders') }}
