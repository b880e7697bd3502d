/*
title = "A primary key of two columns, other tables point at it"
base = false
required = "owner"
key = "code"
pkey = "code, owner"
*/
-- [set up]
CREATE TYPE item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE TABLE item (
    id integer NOT NULL,
    line smallint NOT NULL,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    state item_state NOT NULL DEFAULT 'new',
    PRIMARY KEY (id, line)
);
INSERT INTO item SELECT number / 2, number % 2, 1 + number % 20, 'c' || number, 'Item ' || number, CASE WHEN number % 2 = 0 THEN 'x' END, number % 7,
       'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::item_state
FROM generate_series(1, 200) AS number;
CREATE TABLE parcel (item integer, line smallint, FOREIGN KEY (item, line) REFERENCES item ON DELETE CASCADE);
INSERT INTO parcel SELECT id, line FROM item WHERE id < 20;
CREATE INDEX item_name_idx ON item (name);

-- [traffic]
INSERT INTO item (id, line, owner, code, name, note, place) VALUES (1000 + :n, 1, 1, 'd' || :n, 'Added', 'a', 'A; B');
UPDATE item SET qty = qty + 1, state = 'paid' WHERE id = :n + 1;
DELETE FROM item WHERE id = 5 AND line = 1;
SELECT id, line, qty, state::text FROM item WHERE id < 9 ORDER BY id, line;

-- [holds]
SELECT count(*) > 30 FROM parcel;
