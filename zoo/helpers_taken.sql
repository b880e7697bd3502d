/*
title = "The names that helpers of runbooks want are taken"
*/
-- [set up]
ALTER TABLE item ADD COLUMN qty_new text DEFAULT 'mine';
ALTER TABLE item ADD COLUMN qty_old text DEFAULT 'mine';
CREATE TABLE item_renamed (id integer);
CREATE TABLE zoo_lookup (name text PRIMARY KEY);
CREATE TABLE zoo_retired_rows (id integer);
CREATE INDEX item_name_idx_new ON item (place);
CREATE INDEX item_pkey_old ON item (note);
CREATE FUNCTION item_qty_sync() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';

-- [holds]
SELECT bool_and(qty_new = 'mine' AND qty_old = 'mine') FROM item;
SELECT count(*) = 0 FROM zoo_lookup;
