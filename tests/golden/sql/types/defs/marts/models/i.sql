select date_trunc('month', origin, 3) from {{ ref('daily') }}
