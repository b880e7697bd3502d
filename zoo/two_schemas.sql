/*
title = "The same names in two schemas, the table's is not on the search path"
table = "other.item"
enum = "other.item_state"
target = "other.person"
index = "other.item_name_idx"
base = false
required = "owner"
[index-replace]
index = "item_name_idx"
*/
-- [set up]
CREATE SCHEMA other;
CREATE TYPE item_state AS ENUM ('new', 'paid');
CREATE TYPE other.item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id text);
CREATE TABLE item (id text PRIMARY KEY, name text, qty text, state item_state, place text, note text);
CREATE INDEX item_name_idx ON item (name DESC) WHERE qty IS NOT NULL;
CREATE TABLE other.person (id integer PRIMARY KEY);
INSERT INTO other.person SELECT generate_series(1, 20);
CREATE TABLE other.item (
    id integer PRIMARY KEY,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    state other.item_state NOT NULL DEFAULT 'new'
);
INSERT INTO other.item
SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number, NULL, number % 7, 'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::other.item_state
FROM generate_series(1, 200) AS number;
INSERT INTO item SELECT number, 'x', 'y', 'paid' FROM generate_series(1, 20) AS number;
CREATE INDEX item_name_idx ON other.item (name);

-- [session]
SET search_path = other, public;

-- [traffic]
INSERT INTO item (id, owner, code, name, note, place)
VALUES (100000 + :n, 1, 'd' || :n, 'Added ' || :n, 'added', 'Street; Town');
UPDATE item SET qty = qty + 1, state = 'paid' WHERE id = :n + 1;
SELECT id, name, qty, state::text FROM item WHERE id < 9 ORDER BY id;
INSERT INTO public.item (id, state) VALUES ('n' || :n, 'new');

-- [holds]
SELECT count(*) = 20 FROM public.item WHERE name = 'x' AND state::text = 'paid';
SELECT count(*) > 190 FROM other.item;
