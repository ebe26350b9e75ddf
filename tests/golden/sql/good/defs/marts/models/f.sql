select extract(year from day) as year, sum(flights) over () as n, {'a': [day]} as nested from {{ ref('daily') }}
