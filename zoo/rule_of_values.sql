/*
title = "A CHECK that the old values keep, and some of the new ones break"
fill = "name || ' of ' || place"
*/
-- [set up]
UPDATE item SET weight = 1 WHERE state = 'paid';
ALTER TABLE item ADD CONSTRAINT item_note_check CHECK (length(note) < 30),
                 ADD CONSTRAINT item_state_check CHECK (state <> 'paid' OR weight < 200);

-- [holds]
SELECT count(*) = 0 FROM item WHERE length(note) > 29;
