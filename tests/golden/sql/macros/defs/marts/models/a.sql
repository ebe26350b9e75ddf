select {{ cents('delay') }} as cents from {{ ref('daily') }}
