/*
title = "The same names in two schemas, both on the search path of the role"
table = "item"
enum = "item_state"
base = false
required = "owner"
[settings]
search_path = "first, second, public"
[index-drop]
index = "first.item_name_idx"
[index-replace]
index = "item_name_idx"
*/
-- [set up]
CREATE SCHEMA first;
CREATE SCHEMA second;
CREATE TYPE second.item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TYPE first.item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE first.person (id integer PRIMARY KEY);
CREATE TABLE second.person (id integer PRIMARY KEY);
INSERT INTO first.person SELECT generate_series(1, 20);
CREATE TABLE first.item (
    id integer PRIMARY KEY,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    state first.item_state NOT NULL DEFAULT 'new'
);
CREATE TABLE second.item (
    id integer PRIMARY KEY,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    state second.item_state NOT NULL DEFAULT 'new'
);
INSERT INTO first.item
SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number, NULL, number % 7, 'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::first.item_state
FROM generate_series(1, 200) AS number;
INSERT INTO second.item
SELECT number, 1, 'c' || number % 5, 'Other ' || number, NULL, number % 7, 'Street; Town', 'shipped'
FROM generate_series(1, 50) AS number;
CREATE INDEX item_name_idx ON first.item (name);
CREATE INDEX item_name_idx ON second.item (name DESC) WHERE qty > 2;

-- [traffic]
INSERT INTO first.item (id, owner, code, name, note, place)
VALUES (100000 + :n, 1, 'd' || :n, 'Added ' || :n, 'added', 'Street; Town');
UPDATE first.item SET qty = qty + 1, state = 'paid' WHERE id = :n + 1;
UPDATE second.item SET qty = qty + 1, state = 'paid' WHERE id = :n + 1;
SELECT id, name, qty, state::text FROM first.item WHERE id < 9 ORDER BY id;
INSERT INTO second.item (id, owner, code, name, place) VALUES (100000 + :n, 1, 'c1', 'Same', 'A; B');

-- [holds]
SELECT count(*) > 190 FROM first.item;
SELECT count(*) >= 50 FROM second.item WHERE note IS NULL AND code ~ 'c[0-4]';
