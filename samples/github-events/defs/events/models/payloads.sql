-- One row a payload.
with unfolded as (
    select name as event, unnest(from_json(examples, '["JSON"]')) as payload
    from {{ source('raw', 'webhooks') }}
)
select
    row_number() over () as id,
    event,
    payload ->> '$.action' as action,
    (payload ->> '$.repository.id')::bigint as repository_id,
    payload ->> '$.repository.full_name' as repository,
    payload ->> '$.sender.login' as sender,
    payload
from unfolded
