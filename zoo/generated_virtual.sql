/*
title = "Virtual generated columns"
majors = [18]
column = "qty"
[column-drop]
column = "doubled"
[index-create]
columns = "doubled, qty"
[constraint-not-null]
column = "doubled"
[constraint-unique]
columns = "label"
[column-split]
column = "label"
*/
-- [set up]
ALTER TABLE item ADD COLUMN doubled integer GENERATED ALWAYS AS (qty * 2) VIRTUAL;
ALTER TABLE item ADD COLUMN label text GENERATED ALWAYS AS (place || '!') VIRTUAL;

-- [traffic]
SELECT sum(doubled) FROM item;
