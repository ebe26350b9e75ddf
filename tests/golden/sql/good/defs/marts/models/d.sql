from marts.c select day, distance::integer as km -- from nowhere
