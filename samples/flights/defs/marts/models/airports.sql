-- Where one is best advised to bring a book.
select
    a.iata,
    a.name,
    a.state,
    a.latitude,
    a.longitude,
    sum(d.flights)::bigint as flights,
    sum(d.late)::bigint as late,
    sum(d.late) / sum(d.flights) as late_share
from {{ ref('daily_delays') }} d
join {{ source('raw', 'airports') }} a on a.iata = d.origin
group by all
