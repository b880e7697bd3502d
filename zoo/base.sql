/*
*/
-- [set up]
CREATE TYPE item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO person SELECT number, 'Name ' || number FROM generate_series(1, 20) AS number;
CREATE TABLE item (
    id integer PRIMARY KEY,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    weight integer DEFAULT 1,
    state item_state NOT NULL DEFAULT 'new'
);
INSERT INTO item
SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number,
       CASE WHEN number % 3 > 0 THEN 'note ' || number END, number % 7,
       'Street ' || number || '; Town ' || number % 9, number,
       (ARRAY['new', 'paid', 'shipped'])[1 + number % 3]::item_state
FROM generate_series(1, 300) AS number;
CREATE INDEX item_name_idx ON item (name);
CREATE INDEX item_owner_idx ON item (owner);

-- [traffic]
INSERT INTO item (id, owner, code, name, note, place)
VALUES (100000 + :n, 1, 'c' || 100000 + :n, 'Added ' || :n, 'added', 'Street; Town');
UPDATE item SET qty = qty + 1, note = 'touched' WHERE id = :n + 1;
UPDATE item SET state = 'paid' WHERE id = 3 * :n + 30;
DELETE FROM item WHERE id = 200 + :n;
INSERT INTO item (id, owner, code, name, note, place)
VALUES (:n + 50, 2, 'c' || :n + 50, 'Again', 'again', 'Road; City')
ON CONFLICT (id) DO UPDATE SET place = excluded.place, qty = item.qty + 2;
SELECT id, name, qty, state::text FROM item WHERE id < 9 OR id > 99999 ORDER BY id;
SELECT count(*) FROM item WHERE state = 'new';
SELECT name FROM item WHERE qty > 4 ORDER BY id LIMIT 3;

-- [holds]
SELECT count(*) > 250 FROM item;
