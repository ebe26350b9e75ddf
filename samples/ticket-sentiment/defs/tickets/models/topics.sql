-- How each topic feels.
select topic, count(*) as tickets, count(*) filter (sentiment = 'negative') as negative, max(urgency) as urgency
from {{ ref('sentiment') }}
group by topic
