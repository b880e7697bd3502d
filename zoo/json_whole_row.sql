/*
title = "Published whole rows with json in them, no key, only inserts; another database gets them"
base = false
subscriber = true
[column-add]
subscribers = "ready"
[column-split]
subscribers = "ready"
[enum-to-lookup-table]
subscribers = "ready"
*/
-- [set up]
CREATE TYPE item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO person SELECT number, 'Name ' || number FROM generate_series(1, 20) AS number;
CREATE TABLE item (
    id integer NOT NULL,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    weight integer DEFAULT 1,
    state item_state NOT NULL DEFAULT 'new',
    payload json DEFAULT '{"kind": 1}'
);
INSERT INTO item
SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number,
       CASE WHEN number % 3 > 0 THEN 'note ' || number END, number % 7,
       'Street ' || number || '; Town ' || number % 9, number,
       (ARRAY['new', 'paid', 'shipped'])[1 + number % 3]::item_state
FROM generate_series(1, 300) AS number;
CREATE INDEX item_name_idx ON item (name);
CREATE INDEX item_owner_idx ON item (owner);
ALTER TABLE item REPLICA IDENTITY FULL;
RESET ROLE;
CREATE PUBLICATION zoo_publication FOR TABLE item, person;
SET ROLE zoo_owner;

-- [traffic]
INSERT INTO item (id, owner, code, name, note, place)
VALUES (100000 + :n, 1, 'd' || :n, 'Added ' || :n, 'added', 'Street; Town');
SELECT id, name, qty, state::text FROM item WHERE id < 9 OR id > 99999 ORDER BY id;

-- [subscriber]
ALTER TABLE item ADD COLUMN zoo_added integer;
ALTER TABLE item ADD COLUMN zoo_first text, ADD COLUMN zoo_second text, ADD COLUMN state_new text;
