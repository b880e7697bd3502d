/*
title = "Identity and serial columns"
base = false
required = "owner"
column = "number"
pkey = "number"
key = "id"
index_columns = "number"
*/
-- [set up]
CREATE TYPE item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE TABLE item (
    id integer GENERATED ALWAYS AS IDENTITY (START 500) PRIMARY KEY,
    number serial,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    state item_state NOT NULL DEFAULT 'new'
);
INSERT INTO item (owner, code, name, note, qty, place, state) SELECT 1 + number % 20, 'c' || number, 'Item ' || number, CASE WHEN number % 2 = 0 THEN 'x' END, number % 7,
       'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::item_state
FROM generate_series(1, 200) AS number;
CREATE INDEX item_name_idx ON item (name);

-- [traffic]
INSERT INTO item (owner, code, name, note, place) VALUES (1, 'd' || :n, 'Added', 'a', 'A; B');
UPDATE item SET qty = qty + 1, state = 'paid' WHERE id = :n + 503;
SELECT max(id), max(number) FROM item;
