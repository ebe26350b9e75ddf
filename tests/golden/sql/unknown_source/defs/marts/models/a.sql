select * from {{ source('raw', 'flight') }}
