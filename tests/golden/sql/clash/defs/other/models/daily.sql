select day as dag from {{ source('raw', 'flights') }}
