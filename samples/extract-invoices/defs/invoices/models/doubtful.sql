-- Somebody has to look at these: what is printed does not add up.
with printed as (
    select document, sum(cast(json_extract_string(line, '$.amount') as decimal(12, 2))) as amount
    from (select document, unnest(cast(lines as json[])) as line from {{ ref('read') }})
    group by document
)
select r.document, r.supplier, r.number, r.net, r.vat, r.total, p.amount as lines_amount
from {{ ref('read') }} r left join printed p on p.document = r.document
where abs(r.net + r.vat - r.total) > 0.005 or abs(p.amount - r.net) > 0.005
