select * from {{ ref('b') }} were x
