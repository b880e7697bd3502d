/*
title = "Comments, column privileges, statistics, storage and a cluster mark"
column = "note"
type = "text"
new_type = "varchar(90)"
nullable = "note"
required = "note"
index = "item_note_idx"
unique_name = "item_code_key"
*/
-- [set up]
COMMENT ON TABLE item IS 'What people bought, 100%.';
COMMENT ON COLUMN item.note IS 'What they said; it''s \ free.';
COMMENT ON COLUMN item.state IS 'Where it is.';
COMMENT ON TYPE item_state IS 'States of an item.';
CREATE INDEX item_note_idx ON item USING btree (note COLLATE "C" text_pattern_ops) WITH (fillfactor = 70);
ALTER TABLE item ALTER COLUMN note SET STATISTICS 250;
ALTER TABLE item ALTER COLUMN note SET STORAGE EXTERNAL;
ALTER TABLE item ALTER COLUMN note SET (n_distinct = 200);
ALTER TABLE item ALTER COLUMN state SET STATISTICS 90;
COMMENT ON INDEX item_note_idx IS 'For prefixes.';
ALTER TABLE item CLUSTER ON item_note_idx;
CREATE STATISTICS item_together (dependencies) ON note, place, state FROM item;
ALTER TABLE item SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.3);
GRANT SELECT (id, note, state) ON item TO PUBLIC;
GRANT USAGE ON TYPE item_state TO PUBLIC;
