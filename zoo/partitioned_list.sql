/*
title = "Partitioned by list on the enum, with a DEFAULT partition"
base = false
required = "owner"
partitioned = "item"
pkey = "code, state"
unique = "code, state"
*/
-- [set up]
CREATE TYPE item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE TABLE item (
    id integer,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    state item_state NOT NULL DEFAULT 'new',
    PRIMARY KEY (id, state)
) PARTITION BY LIST (state);
CREATE TABLE item_open PARTITION OF item FOR VALUES IN ('new', 'paid');
CREATE TABLE item_rest PARTITION OF item DEFAULT;
INSERT INTO item SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number, CASE WHEN number % 2 = 0 THEN 'x' END, number % 7,
       'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::item_state
FROM generate_series(1, 200) AS number;
CREATE INDEX item_name_idx ON item (name);

-- [traffic]
INSERT INTO item (id, owner, code, name, note, place) VALUES (1000 + :n, 1, 'd' || :n, 'Added', 'a', 'A; B');
UPDATE item SET qty = qty + 1, state = 'paid' WHERE id = :n + 3;
SELECT id, qty, state::text FROM item WHERE id < 9 ORDER BY id;
SELECT count(*) FROM item_rest;
