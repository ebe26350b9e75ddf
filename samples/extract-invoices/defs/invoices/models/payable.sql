select currency, count(*) as invoices, cast(sum(total) as decimal(12, 2)) as total
from {{ ref('read') }}
where document not in (select document from {{ ref('doubtful') }})
group by currency
