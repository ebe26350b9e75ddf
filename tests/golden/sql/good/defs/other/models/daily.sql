select day from {{ source('raw', 'flights') }}
