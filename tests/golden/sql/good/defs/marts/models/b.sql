with flights as (select * from {{ source('raw', 'flights') }})
select f.day, "flights".distance from flights join {{ source('raw','flights') }} f on f.day = flights.day
