select origin, sum(flights) from {{ ref('daily') }}
