select dayy from {{ ref('a') }}
