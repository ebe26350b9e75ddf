select {{ broken('delay') }} as cents from {{ ref('daily') }}
