create or replace table heavy_ships as select * from ships where tonnes > 2000;
