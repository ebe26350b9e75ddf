select amout from {{ source('raw', 'orders') }}
