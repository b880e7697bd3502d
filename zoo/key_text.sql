/*
title = "A primary key of text, under a collation of its own"
base = false
required = "owner"
pkey = "code"
*/
-- [set up]
CREATE TYPE item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE COLLATION bytes (provider = libc, locale = 'C');
CREATE TABLE item (
    id text COLLATE bytes PRIMARY KEY,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    state item_state NOT NULL DEFAULT 'new'
);
INSERT INTO item SELECT 'Key ' || number, 1 + number % 20, 'c' || number, 'Item ' || number, CASE WHEN number % 2 = 0 THEN 'x' END, number % 7,
       'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::item_state
FROM generate_series(1, 200) AS number;
CREATE INDEX item_name_idx ON item (name);

-- [traffic]
INSERT INTO item (id, owner, code, name, note, place) VALUES ('New ' || :n, 1, 'd' || :n, 'Added', 'a', 'A; B');
UPDATE item SET qty = qty + 1, state = 'paid' WHERE id = 'Key ' || :n + 3;
SELECT code, qty, state::text FROM item WHERE id = 'Key 9';
