/*
title = "The index of a constraint, with a foreign key on it"
index = "item_code_key"
unique_name = "zoo_unique_key"
pkey = "code"
column = "code"
type = "text"
new_type = "varchar(60)"
*/
-- [set up]
ALTER TABLE item ADD CONSTRAINT item_code_key UNIQUE (code) WITH (fillfactor = 65);
CREATE TABLE label (code text REFERENCES item (code) ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO label SELECT code FROM item WHERE id < 20;
