select dayy, flights
from {{ ref('daily') }}
