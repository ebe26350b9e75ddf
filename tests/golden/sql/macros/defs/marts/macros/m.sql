{% macro cents(c) %}round({{ c }} * 100){% endmacro %}
{% macro broken(c) %}
    {{ c }} + {{ nothing }}
{% endmacro %}
