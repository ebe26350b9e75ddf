select nmae, length(country, 1, 2) from raw.customers
