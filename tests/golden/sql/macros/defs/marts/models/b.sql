select {{ cents('delayy') }} as cents from {{ ref('daily') }}
