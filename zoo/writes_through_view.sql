/*
title = "The application writes through views and a rule only, and may not call what the owner calls"
condition = "length(only_owner(name)) > 0"
index_columns = "only_owner(name)"
base = false
[column-add]
type = "text"
value = "only_owner('7')"
not_null = "no"
[column-change-type]
column = "note"
type = "varchar(90)"
to_new = "only_owner(value)::varchar(90)"
to_old = "value::text"
[column-split]
first_value = "only_owner(split_part(value, '; ', 1))"
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

CREATE FUNCTION only_owner(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
REVOKE EXECUTE ON FUNCTION only_owner(text) FROM PUBLIC;
CREATE VIEW item_base AS SELECT id, owner, code, name, note, qty, place, weight, state FROM item;
CREATE VIEW item_app AS SELECT * FROM item_base;
CREATE TABLE inbox (id integer, code text);
CREATE RULE forward AS ON INSERT TO inbox DO ALSO
    INSERT INTO item (id, owner, code, name, note, place) VALUES (NEW.id, 1, NEW.code, 'forwarded', 'added', 'x; y');
-- [copy]
REVOKE INSERT, UPDATE, DELETE ON item, item_base FROM zoo_application;
GRANT INSERT, UPDATE, DELETE ON item_app TO zoo_application;

-- [traffic]
INSERT INTO item_app (id, owner, code, name, note, place)
VALUES (100000 + :n, 1, 'c' || 100000 + :n, 'Added ' || :n, 'added', 'Street; Town');
UPDATE item_app SET qty = qty + 1, note = 'touched' WHERE id = :n + 1;
UPDATE item_app SET state = 'paid' WHERE id = 3 * :n + 30;
DELETE FROM item_app WHERE id = 200 + :n;
INSERT INTO item_app (id, owner, code, name, note, place)
VALUES (:n + 50, 2, 'c' || :n + 50, 'Again', 'again', 'Road; City')
ON CONFLICT (id) DO UPDATE SET place = excluded.place, qty = item_app.qty + 2;
SELECT id, name, qty, state::text FROM item_app WHERE id < 9 OR id > 99999 ORDER BY id;
SELECT count(*) FROM item_app WHERE state = 'new';
SELECT name FROM item_app WHERE qty > 4 ORDER BY id LIMIT 3;

INSERT INTO inbox VALUES (400000 + :n, 'r' || :n);
