select * from {{ ref('raw/order') }}
