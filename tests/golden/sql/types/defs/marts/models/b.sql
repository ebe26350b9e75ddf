select uper(origin) as origin
from {{ ref('daily') }}
