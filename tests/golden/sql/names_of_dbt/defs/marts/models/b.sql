select * from {{ ref('daily') }} where delay > {{ var('lat') }}
