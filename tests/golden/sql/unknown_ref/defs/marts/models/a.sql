select * from {{ ref('dayly') }}
