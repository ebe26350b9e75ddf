select * from {{ ref('daily') }} join ooother.daily using (day)
