select day + origin as sum_of_both
from {{ ref('daily') }}
