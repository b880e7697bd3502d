/*
title = "Names that are not there"
[backfill-in-batches]
column = "nothing"
[column-add]
table = "nothing"
[column-change-type]
column = "nothing"
[column-drop]
column = "nothing"
[column-rename]
column = "nothing"
[column-split]
column = "nothing"
[constraint-check]
condition = "nothing > 1"
[constraint-foreign-key]
columns = "nothing"
[constraint-not-null]
column = "nothing"
[constraint-primary-key]
columns = "nothing"
[constraint-unique]
columns = "nothing"
[enum-add-value]
type = "nothing"
[enum-add-value-in-order]
neighbor = "nothing"
[enum-remove-value]
label = "nothing"
[enum-rename-value]
label = "nothing"
[enum-retire-value]
label = "nothing"
[enum-to-lookup-table]
column = "nothing"
[index-create]
columns = "nothing"
[index-drop]
index = "nothing"
[index-replace]
index = "nothing"
*/
-- [set up]
SELECT 1;
