/*
title = "Partitions with a default, settings, a comment and privileges of their own; a key that is checked at the end"
base = false
required = "owner"
partitioned = "item"
column = "qty"
pkey = "code, day, owner"
unique = "code, day, owner"
index_columns = "name, qty"
*/
-- [set up]
CREATE TYPE item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, name text NOT NULL);
INSERT INTO person SELECT number, 'Name ' || number FROM generate_series(1, 20) AS number;
CREATE TABLE item (
    id integer NOT NULL,
    day date NOT NULL DEFAULT '2026-01-05',
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    note text,
    qty integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    weight integer DEFAULT 1,
    state item_state NOT NULL DEFAULT 'new',
    CONSTRAINT item_key PRIMARY KEY (id, day, owner) DEFERRABLE INITIALLY DEFERRED
) PARTITION BY RANGE (day);
CREATE TABLE item_q1 PARTITION OF item FOR VALUES FROM ('2026-01-01') TO ('2026-04-01');
CREATE TABLE item_q2 PARTITION OF item FOR VALUES FROM ('2026-04-01') TO ('2026-07-01') WITH (fillfactor = 60);
CREATE TABLE item_rest PARTITION OF item DEFAULT PARTITION BY LIST (owner);
CREATE TABLE "item of others" PARTITION OF item_rest DEFAULT;
INSERT INTO item
SELECT number, date '2026-01-01' + number, 1 + number % 20, 'c' || number, 'Item ' || number,
       CASE WHEN number % 3 > 0 THEN 'note ' || number END, number % 7,
       'Street ' || number || '; Town ' || number % 9, number,
       (ARRAY['new', 'paid', 'shipped'])[1 + number % 3]::item_state
FROM generate_series(1, 300) AS number;
CREATE INDEX item_name_idx ON item (name);
CREATE INDEX item_owner_idx ON item (owner);
ALTER TABLE item_q2 ALTER COLUMN qty SET DEFAULT 42, ALTER COLUMN note SET DEFAULT 'q2';
ALTER TABLE item_q1 ALTER COLUMN qty SET STATISTICS 77, ALTER COLUMN note SET STORAGE EXTERNAL;
ALTER TABLE item_rest ALTER COLUMN qty DROP DEFAULT;
ALTER TABLE "item of others" ALTER COLUMN qty SET (n_distinct = 9), ALTER COLUMN note SET COMPRESSION pglz;
COMMENT ON COLUMN item.qty IS 'How many.';
COMMENT ON COLUMN item_q2.qty IS 'Of the second quarter; it''s less.';
COMMENT ON CONSTRAINT item_key ON item IS 'The key.';
GRANT SELECT (qty), UPDATE (note) ON item_q1 TO PUBLIC;

-- [traffic]
INSERT INTO item (id, day, owner, code, name, note, place)
VALUES (100000 + :n, '2026-05-05', 1, 'd' || :n, 'Added ' || :n, 'added', 'Street; Town');
UPDATE item SET qty = qty + 1, note = 'touched' WHERE id = :n + 1;
UPDATE item SET state = 'paid' WHERE id = 3 * :n + 30;
UPDATE item SET day = day + 90 WHERE id = 61 + 3 * :n;
DELETE FROM item WHERE id = 200 + :n;
SELECT id, name, qty, state::text FROM item WHERE id < 9 OR id > 99999 ORDER BY id;
SELECT count(*) FROM item WHERE state = 'new';
