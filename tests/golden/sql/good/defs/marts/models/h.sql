{{ config(materialized='incremental', unique_key=['day'], tags=['x']) }}
select day, '{{ env_var("REGION", "eu") }}' as region from {{ ref('g') }}
{% if is_incremental() %}where day > (select max(day) from {{ this }}){% endif %}
