select * from raw.flihgts
