/*
title = "Functions and types that the application may not use"
condition = "length(only_owner(name)) > 0"
index_columns = "only_owner(name)"
[column-add]
type = "text"
value = "only_owner('7')"
not_null = "no"
[column-change-type]
column = "note"
type = "hidden.words"
to_new = "value::hidden.words"
to_old = "value::text"
[column-split]
first_value = "only_owner(split_part(value, '; ', 1))"
[backfill-in-batches]
expression = "only_owner(name)"
*/
-- [set up]
CREATE FUNCTION only_owner(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
REVOKE EXECUTE ON FUNCTION only_owner(text) FROM PUBLIC;
CREATE SCHEMA hidden;
CREATE DOMAIN hidden.words AS varchar(90);
ALTER TABLE item ALTER COLUMN note SET DEFAULT 'n';
-- [copy]
REVOKE USAGE ON SCHEMA hidden FROM zoo_application;
