/*
title = "The key and a column NOT NULL, NOT VALID, with a NULL from before"
majors = [18]
column = "grade"
required = "grade"
nullable = "grade"
fill = "3"
pkey = "grade"
*/
-- [set up]
ALTER TABLE item ADD COLUMN grade integer;
UPDATE item SET grade = id WHERE id <> 299;
ALTER TABLE item ADD CONSTRAINT item_grade_there NOT NULL grade NOT VALID;
ALTER TABLE item ALTER COLUMN grade SET DEFAULT 5;
