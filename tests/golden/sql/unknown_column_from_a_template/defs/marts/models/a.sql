{% set column = 'dayy' %}
select flights, {{ column }}
from {{ ref('daily') }}
