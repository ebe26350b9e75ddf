{% do log('hello') %}
select '{{ run_started_at }}' as at, '{{ this.schema }}' as s
