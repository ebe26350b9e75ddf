select
    (payload ->> '$.issue.number')::bigint as number,
    payload ->> '$.issue.title' as title,
    payload ->> '$.issue.state' as state,
    (payload ->> '$.issue.created_at')::timestamp as created_at,
    json_array_length(payload, '$.issue.labels')::bigint as labels,
    action
from {{ ref('payloads') }}
where event = 'issues'
