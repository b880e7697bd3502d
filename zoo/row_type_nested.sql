/*
title = "The type of its rows in an array and in a composite type elsewhere"
*/
-- [set up]
CREATE TABLE saved (id integer PRIMARY KEY, rows item[]);
INSERT INTO saved SELECT 1, array_agg(item) FROM item WHERE id < 4;
CREATE TYPE pack AS (number integer, one item);
CREATE TABLE packed (id integer PRIMARY KEY, p pack);
INSERT INTO packed SELECT id, ROW(1, item)::pack FROM item WHERE id < 4;

-- [traffic]
SELECT (rows[1]).code FROM saved;
SELECT ((p).one).code FROM packed WHERE id = 2;
