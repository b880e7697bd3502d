/*
title = "Columns were dropped, one of each type that the runbooks would add"
*/
-- [set up]
ALTER TABLE item ADD COLUMN zoo_added text DEFAULT 'x';
ALTER TABLE item ADD COLUMN qty_new bigint DEFAULT 3;
ALTER TABLE item ADD COLUMN state_new text;
ALTER TABLE item DROP COLUMN zoo_added;
ALTER TABLE item DROP COLUMN qty_new;
ALTER TABLE item DROP COLUMN state_new;
