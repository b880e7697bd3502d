/*
title = "Names and labels with a backslash and a dollar sign"
base = false
required = "owner"
table = '"back\slash"'
column = 'a\b $body$'
enum = '"a\b $body$ state"'
enum_column = "state"
text = 'a\b $body$ place'
nullable = 'a\b $body$ note'
fill = 'name'
other_label = 'c\d'
renamed_label = 'c\d'
index = '"a\b $body$ idx"'
index_columns = '"a\b $body$", name'
unique_name = 'a\b $body$ key'
condition = '"a\b $body$" > -1'
[index-replace]
index = 'a\b $body$ idx'
[enum-add-value]
label = 'added c\d'
*/
-- [set up]
CREATE TYPE "a\b $body$ state" AS ENUM ('new',  E'c\\d', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE TABLE "back\slash" (
    id integer PRIMARY KEY,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    "a\b $body$" integer NOT NULL DEFAULT 1,
    "a\b $body$ note" text,
    "a\b $body$ place" text NOT NULL,
    state "a\b $body$ state" NOT NULL DEFAULT 'new'
);
INSERT INTO "back\slash"
SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number, number % 7, NULL, 'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::"a\b $body$ state"
FROM generate_series(1, 200) AS number;
CREATE INDEX "a\b $body$ idx" ON "back\slash" ("a\b $body$");

-- [traffic]
INSERT INTO "back\slash" (id, owner, code, name, "a\b $body$ note", "a\b $body$ place")
VALUES (100000 + :n, 1, 'd' || :n, 'Added', 'added', 'Street; Town');
UPDATE "back\slash" SET "a\b $body$" = "a\b $body$" + 1, state =  E'c\\d' WHERE id = :n + 1;
SELECT id, name, "a\b $body$" FROM "back\slash" WHERE id < 9 ORDER BY id;

-- [holds]
SELECT count(*) > 190 FROM "back\slash";
