select day from {{ ref('second') }}
