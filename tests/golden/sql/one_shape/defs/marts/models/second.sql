-- The same again.
select day
from {{ ref('first') }}
