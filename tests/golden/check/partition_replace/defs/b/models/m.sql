select '{{ partition_key }}' as day
