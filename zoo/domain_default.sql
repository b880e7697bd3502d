/*
title = "Domains with a default, beside a default of the column"
column = "stars"
type = "stars"
new_type = "integer"
*/
-- [set up]
CREATE DOMAIN stars AS integer DEFAULT 1;
ALTER TABLE item ADD COLUMN stars stars DEFAULT 5;
ALTER TABLE item ADD COLUMN unsure stars DEFAULT NULL;
ALTER TABLE item ALTER COLUMN note SET DEFAULT 'none';
-- [traffic]
INSERT INTO item (id, owner, code, name, place) VALUES (800000 + :n, 1, 's' || :n, 'Starred', 'A; B') RETURNING stars, note;
