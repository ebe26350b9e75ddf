select id, sum(amount) as total from {{ ref('raw/amounts') }} group by id
