/*
title = "The type of its rows is a column of another table"
*/
-- [set up]
CREATE TABLE item_archive (id integer PRIMARY KEY, was item);
INSERT INTO item_archive SELECT id, item FROM item WHERE id < 10;

-- [traffic]
INSERT INTO item_archive SELECT 1000 + :n, item FROM item WHERE id = 100;
SELECT (was).id, (was).name FROM item_archive WHERE id = 3;

-- [holds]
SELECT count(was) > 8 FROM item_archive;
