select sum(amount from {{ source('raw', 'orders') }}
