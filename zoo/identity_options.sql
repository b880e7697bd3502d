/*
title = "An identity ALWAYS with options, privileges and a comment; some requests override it"
base = false
*/
-- [set up]
CREATE TYPE item_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO person SELECT number, 'Name ' || number FROM generate_series(1, 20) AS number;
CREATE TABLE item (
    id integer GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "My Seq" START 5000 INCREMENT BY 3 MINVALUE 10 MAXVALUE 900000 CACHE 1 CYCLE) PRIMARY KEY,
    owner integer NOT NULL, code text NOT NULL, name text NOT NULL, note text, qty integer NOT NULL DEFAULT 1,
    place text NOT NULL, weight integer DEFAULT 1, state item_state NOT NULL DEFAULT 'new');
COMMENT ON SEQUENCE "My Seq" IS 'Numbers; of items.';
GRANT USAGE ON SEQUENCE "My Seq" TO pg_monitor WITH GRANT OPTION;
GRANT SELECT ON SEQUENCE "My Seq" TO PUBLIC;
INSERT INTO item OVERRIDING SYSTEM VALUE
SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number,
       CASE WHEN number % 3 > 0 THEN 'note ' || number END, number % 7,
       'Street ' || number || '; Town ' || number % 9, number,
       (ARRAY['new', 'paid', 'shipped'])[1 + number % 3]::item_state
FROM generate_series(1, 300) AS number;
CREATE INDEX item_name_idx ON item (name);
CREATE INDEX item_owner_idx ON item (owner);
-- [traffic]
INSERT INTO item (owner, code, name, note, place) VALUES (1, 'own' || :n, 'Own', 'added', 'x; y');
INSERT INTO item (id, owner, code, name, note, place) OVERRIDING SYSTEM VALUE
VALUES (100000 + :n, 1, 'own' || :n, 'Own', 'added', 'x; y');
UPDATE item SET qty = qty + 1, note = 'touched' WHERE id = :n + 1;
SELECT id, name, qty FROM item WHERE id < 9 OR id > 4999 ORDER BY id;
