select third.day from {{ ref('third') }}
