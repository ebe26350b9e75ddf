select day from {{ ref('daily') }};
select 2
