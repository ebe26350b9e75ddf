-- Größe: 日本.
select '日本' as land, d.flihgts
from {{ ref('daily') }} d
join raw.airports a on a.iata = d.origin
