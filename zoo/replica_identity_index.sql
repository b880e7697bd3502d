/*
title = "Published, with a unique index as its replica identity"
column = "code"
type = "text"
new_type = "varchar(60)"
index = "item_code_key"
unique = "code"
pkey = "code"
[index-repair]
index = "item_name_idx"
*/
-- [set up]
CREATE UNIQUE INDEX item_code_key ON item (code);
ALTER TABLE item REPLICA IDENTITY USING INDEX item_code_key;
RESET ROLE;
CREATE PUBLICATION zoo_publication FOR TABLE item;
SET ROLE zoo_owner;
