-- Größe: 日本.
select '日本' as land, d.flights
from {{ ref('daily') }} d
join raw.airports a on a.iata = d.origin
