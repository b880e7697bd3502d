/*
title = "A type whose equality is not identity: boxes of one area are equal"
column = "space"
type = "box"
new_type = "text"
nullable = "space"
fill = "box '(1,1),(0,0)'"
unique = "space"
index_columns = "space"
*/
-- [set up]
ALTER TABLE item ADD COLUMN space box;
UPDATE item SET space = box(point(id, 1), point(id + 1, 2)) WHERE id % 5 > 0;
ALTER TABLE item ALTER COLUMN space SET DEFAULT '(9,9),(1,1)';

-- [traffic]
UPDATE item SET space = box(point(:n, 7), point(:n + 1, 8)) WHERE id = 150 + :n;
UPDATE item SET name = name || '.' WHERE id = 180;
