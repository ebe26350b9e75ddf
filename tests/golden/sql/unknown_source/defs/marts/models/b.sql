select * from {{ source('row', 'flights') }}
