{% if target.type != 'postgres' %}{{ exceptions.raise_compiler_error('only on Postgres') }}{% endif %}
select 1
