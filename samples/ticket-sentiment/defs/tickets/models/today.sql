-- What somebody should look at first.
select id, customer, urgency, topic, summary
from {{ ref('sentiment') }}
where urgency >= 4
order by urgency desc, id
