select d.day from {{ ref('daily') }} dd
