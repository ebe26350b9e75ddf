select * exclude (dayy) from {{ ref('daily') }}
