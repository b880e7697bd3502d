/*
title = "One partition, named by itself"
base = false
required = "owner"
table = "item_open"
column = "qty"
index = "item_open_name_idx"
pkey = "code"
*/
-- [set up]
CREATE TYPE item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE TABLE items (
    id integer,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    state item_state NOT NULL DEFAULT 'new',
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE TABLE item_open PARTITION OF items FOR VALUES FROM (0) TO (MAXVALUE);
INSERT INTO items SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number, CASE WHEN number % 2 = 0 THEN 'x' END, number % 7,
       'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::item_state
FROM generate_series(1, 200) AS number;
CREATE INDEX items_name_idx ON items (name);

-- [traffic]
INSERT INTO items (id, owner, code, name, note, place) VALUES (1000 + :n, 1, 'd' || :n, 'Added', 'a', 'A; B');
UPDATE items SET qty = qty + 1, state = 'paid' WHERE id = :n + 3;
SELECT id, qty, state::text FROM items WHERE id < 9 ORDER BY id;
