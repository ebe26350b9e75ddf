select {{ dbt_utils.star(from=ref('daily')) }} from {{ ref('daily') }}
