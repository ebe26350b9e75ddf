select dayy from {{ ref('daily') }}
