select nested.a[1] as day, n + 1 as n from {{ ref('f') }} where year >= {{ var('late') }} and '{{ target.type }}' = 'duckdb'
