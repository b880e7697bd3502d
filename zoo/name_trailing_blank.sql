/*
title = "Names with a blank at their end and a dot inside"
base = false
required = "owner"
table = '"item.old "'
column = 'col '
enum = '"col  state"'
enum_column = "state"
text = 'col  place'
nullable = 'col  note'
fill = 'name'
other_label = 'paid '
renamed_label = 'paid '
index = '"col  idx"'
index_columns = '"col ", name'
unique_name = 'col  key'
condition = '"col " > -1'
[index-replace]
index = 'col  idx'
[enum-add-value]
label = 'added paid '
*/
-- [set up]
CREATE TYPE "col  state" AS ENUM ('new', 'paid ', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE TABLE "item.old " (
    id integer PRIMARY KEY,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    "col " integer NOT NULL DEFAULT 1,
    "col  note" text,
    "col  place" text NOT NULL,
    state "col  state" NOT NULL DEFAULT 'new'
);
INSERT INTO "item.old "
SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number, number % 7, NULL, 'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::"col  state"
FROM generate_series(1, 200) AS number;
CREATE INDEX "col  idx" ON "item.old " ("col ");

-- [traffic]
INSERT INTO "item.old " (id, owner, code, name, "col  note", "col  place")
VALUES (100000 + :n, 1, 'd' || :n, 'Added', 'added', 'Street; Town');
UPDATE "item.old " SET "col " = "col " + 1, state = 'paid ' WHERE id = :n + 1;
SELECT id, name, "col " FROM "item.old " WHERE id < 9 ORDER BY id;

-- [holds]
SELECT count(*) > 190 FROM "item.old ";
