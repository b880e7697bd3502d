/*
title = "A table that inherits from another"
*/
-- [set up]
CREATE TABLE thing (qty integer DEFAULT 1, place text, state item_state DEFAULT 'new', name text);
ALTER TABLE thing ADD CONSTRAINT thing_qty_check CHECK (qty > -1);
ALTER TABLE item ADD CONSTRAINT thing_qty_check CHECK (qty > -1);
ALTER TABLE item INHERIT thing;

-- [traffic]
SELECT count(*) FROM thing WHERE state = 'paid';
