-- One.
select dayy from {{ ref('first') }}
