/*
title = "A primary key of type uuid"
base = false
required = "owner"
pkey = "code"
*/
-- [set up]
CREATE TYPE item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE TABLE item (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    state item_state NOT NULL DEFAULT 'new'
);
INSERT INTO item SELECT md5(number::text)::uuid, 1 + number % 20, 'c' || number, 'Item ' || number, CASE WHEN number % 2 = 0 THEN 'x' END, number % 7,
       'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::item_state
FROM generate_series(1, 200) AS number;
CREATE INDEX item_name_idx ON item (name);

-- [traffic]
INSERT INTO item (id, owner, code, name, note, place) VALUES (md5('new' || :n)::uuid, 1, 'd' || :n, 'Added', 'a', 'A; B');
UPDATE item SET qty = qty + 1, state = 'paid' WHERE id = md5((:n + 3)::text)::uuid;
SELECT code, qty, state::text FROM item WHERE code < 'c2' ORDER BY code COLLATE "C";
