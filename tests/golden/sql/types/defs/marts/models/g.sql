select day from {{ ref('daily') }} where exists (select 1 from raw.airports a where a.iatta = origin)
