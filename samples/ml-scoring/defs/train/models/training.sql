select id, visits, age, spend from {{ ref('raw/customers') }} where spend is not null and id % 5 > 0
