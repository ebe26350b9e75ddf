-- On customers that the model has not seen.
select
    sqrt(avg((c.spend - p.expected) ** 2)) as rmse,
    1 - sum((c.spend - p.expected) ** 2) / (count(*) * var_pop(c.spend)) as r2,
    count(*) as customers
from {{ ref('raw/customers') }} c
join (select id, w.intercept + w.visits * c.visits + w.age * c.age as expected from {{ ref('raw/customers') }} c, {{ ref('ml/weights') }} w) p using (id)
where c.spend is not null and c.id % 5 = 0
