select 1 as id, {{ env('SCALE', '2.5') }} * 2 as x, '{{ env.NAME }}' as name
where 1 < {{ env('LEAST') }} and 'a' in ({{ env_var('LIST', "'a', 'b'") }})
limit {{ env.COUNT }}
