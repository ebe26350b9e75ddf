select * from raw.flights
