-- Three of four have spent something already; the others are to be scored.
select
    i as id,
    (i * 7919 % 40)::double as visits,
    (18 + i * 104729 % 60)::double as age,
    case when i % 4 > 0 then 12 + 3.5 * (i * 7919 % 40) + 0.8 * (18 + i * 104729 % 60) + sin(i * 12.9898) * 6 end as spend
from range(1, 4001) t(i)
