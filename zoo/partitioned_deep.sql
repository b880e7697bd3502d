/*
title = "Partitioned by range and once more by hash, one partition in another schema"
base = false
required = "owner"
partitioned = "item"
key = "id"
pkey = "code, id"
unique = "code, id"
column = "qty"
*/
-- [set up]
CREATE TYPE item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE SCHEMA archive;
CREATE TABLE item (
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
CREATE TABLE archive.item_1 PARTITION OF item FOR VALUES FROM (0) TO (100);
CREATE TABLE item_2 PARTITION OF item FOR VALUES FROM (100) TO (MAXVALUE) PARTITION BY HASH (id);
CREATE TABLE item_2a PARTITION OF item_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE item_2b PARTITION OF item_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO item SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number, CASE WHEN number % 2 = 0 THEN 'x' END, number % 7,
       'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::item_state
FROM generate_series(1, 200) AS number;
CREATE INDEX item_name_idx ON item (name);
CREATE INDEX item_2b_name_qty ON item_2b (name, qty);

-- [traffic]
INSERT INTO item (id, owner, code, name, note, place) VALUES (1000 + :n, 1, 'd' || :n, 'Added', 'a', 'A; B');
UPDATE item SET qty = qty + 1, state = 'paid' WHERE id = :n + 3;
SELECT id, qty, state::text FROM item WHERE id < 9 ORDER BY id;
