select a.day, b.day as other from {{ ref('daily') }} a, other.daily b where a.day is distinct from b.day
