select day from {{ ref('daily') }}
