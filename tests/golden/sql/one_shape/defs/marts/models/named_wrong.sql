select first.day from {{ ref('third') }}
