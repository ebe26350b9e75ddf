select day, flights
from {{ ref('daily') }}
