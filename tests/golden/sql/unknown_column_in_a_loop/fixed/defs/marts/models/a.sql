select
{% for c in ['day', 'origin'] %}
    {{ c }},
{% endfor %}
    flights
from {{ ref('daily') }}
