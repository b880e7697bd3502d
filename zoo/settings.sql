/*
title = "The owner's role has settings of its own"
[settings]
statement_timeout = "10s"
lock_timeout = "50ms"
quote_all_identifiers = "on"
search_path = '"$user", public, pg_catalog'
DateStyle = "German, DMY"
IntervalStyle = "sql_standard"
TimeZone = "Asia/Tokyo"
bytea_output = "escape"
extra_float_digits = "-5"
*/
-- [set up]
ALTER TABLE item ADD COLUMN price double precision DEFAULT 0.1;
