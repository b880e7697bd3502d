/*
title = "Generated columns that read the column, and one that is the column"
column = "qty"
nullable = "doubled"
[column-drop]
column = "doubled"
[index-create]
columns = "doubled, qty"
[constraint-not-null]
column = "doubled"
[column-split]
column = "label"
*/
-- [set up]
ALTER TABLE item ADD COLUMN doubled integer GENERATED ALWAYS AS (qty * 2) STORED;
ALTER TABLE item ADD COLUMN label text GENERATED ALWAYS AS (place || '!') STORED;

-- [traffic]
SELECT sum(doubled) FROM item;
