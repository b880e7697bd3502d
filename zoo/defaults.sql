/*
title = "Defaults that call functions and sequences"
column = "serial"
type = "integer"
new_type = "bigint"
nullable = "stamp"
fill = "'2026-01-01 00:00+00'::timestamptz"
required = "serial"
pkey = "serial"
[column-add]
type = "uuid"
value = "gen_random_uuid()"
[column-drop]
column = "stamp"
type = "timestamp with time zone"
*/
-- [set up]
CREATE SEQUENCE item_serial_seq;
ALTER TABLE item ADD COLUMN serial integer DEFAULT nextval('item_serial_seq');
ALTER SEQUENCE item_serial_seq OWNED BY item.serial;
ALTER TABLE item ADD COLUMN stamp timestamptz;
UPDATE item SET stamp = '2026-02-02 00:00+00' WHERE id % 2 = 0;
ALTER TABLE item ALTER COLUMN stamp SET DEFAULT '2026-03-03 00:00+00';
