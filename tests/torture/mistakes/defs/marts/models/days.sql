select day, sum(amout) as amount from {{ ref('orders') }} where day > {{ var('since' }} group by day
