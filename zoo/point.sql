/*
title = "A column of a type without equality and without a B-tree"
column = "spot"
type = "point"
new_type = "text"
nullable = "spot"
fill = "point '(-1,-1)'"
unique = "spot"
index_columns = "spot"
*/
-- [set up]
ALTER TABLE item ADD COLUMN spot point;
UPDATE item SET spot = point(id, 1) WHERE id % 5 > 0;
ALTER TABLE item ALTER COLUMN spot SET DEFAULT '(9,9)';

-- [traffic]
UPDATE item SET spot = point(:n, :n) WHERE id = 150 + :n;
UPDATE item SET name = name || '.' WHERE id = 180;
