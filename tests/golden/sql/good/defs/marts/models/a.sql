select flights.day, raw.flights.origin from raw.flights
