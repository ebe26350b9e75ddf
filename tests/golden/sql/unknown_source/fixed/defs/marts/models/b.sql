select * from {{ source('raw', 'flights') }}
