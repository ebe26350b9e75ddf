select day from {{ ref('daily') }} union all select day, origin from {{ ref('daily') }}
