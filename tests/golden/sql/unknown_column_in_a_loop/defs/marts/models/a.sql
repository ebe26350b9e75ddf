select
{% for c in ['day', 'origin'] %}
    {{ c }},
{% endfor %}
    fligths
from {{ ref('daily') }}
