select n from {{ ref('x') }}
