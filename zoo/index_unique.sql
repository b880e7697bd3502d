/*
title = "A unique index without a constraint is what the index runbooks are given"
index = "item_code_key"
unique_name = "item_code_key"
index_columns = "code"
[index-create]
index = "item_code_key"
*/
-- [set up]
CREATE UNIQUE INDEX item_code_key ON item (code) INCLUDE (qty) WITH (fillfactor = 60);
COMMENT ON INDEX item_code_key IS 'Codes are unique.';
