/*
title = "Expression, partial, GIN, covering, DESC and operator class indexes"
index = "item_name_low_idx"
column = "qty"
*/
-- [set up]
ALTER TABLE item ADD COLUMN meta jsonb DEFAULT '{}';
CREATE INDEX item_name_low_idx ON item (lower(name) text_pattern_ops DESC NULLS LAST) INCLUDE (qty) WHERE qty > 0;
CREATE INDEX item_meta_idx ON item USING gin (meta jsonb_path_ops);
CREATE UNIQUE INDEX item_code_nulls_key ON item (code) NULLS NOT DISTINCT;
CREATE INDEX item_place_idx ON item USING hash (place);
CREATE INDEX item_brin_idx ON item USING brin (id) WITH (pages_per_range = 8);
