select order_id, method, amount_cents / 100.0 as amount, '{{ var("currency") }}' as currency
from {{ source('raw', 'payments') }}
