select event, count(*) as payloads, count(distinct action) as actions
from {{ ref('payloads') }}
group by event
