select
    dayy
from {{ ref('second') }}
