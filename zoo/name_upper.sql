/*
title = "Names that say nothing when they are not quoted"
base = false
required = "owner"
table = '"Item"'
column = 'QTY'
enum = '"QTY state"'
enum_column = "state"
text = 'QTY place'
nullable = 'QTY note'
fill = 'name'
other_label = 'Paid'
renamed_label = 'Paid'
index = '"QTY idx"'
index_columns = '"QTY", name'
unique_name = 'QTY key'
condition = '"QTY" > -1'
[index-replace]
index = 'QTY idx'
[enum-add-value]
label = 'added Paid'
*/
-- [set up]
CREATE TYPE "QTY state" AS ENUM ('new', 'Paid', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE TABLE "Item" (
    id integer PRIMARY KEY,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    "QTY" integer NOT NULL DEFAULT 1,
    "QTY note" text,
    "QTY place" text NOT NULL,
    state "QTY state" NOT NULL DEFAULT 'new'
);
INSERT INTO "Item"
SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number, number % 7, NULL, 'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::"QTY state"
FROM generate_series(1, 200) AS number;
CREATE INDEX "QTY idx" ON "Item" ("QTY");

-- [traffic]
INSERT INTO "Item" (id, owner, code, name, "QTY note", "QTY place")
VALUES (100000 + :n, 1, 'd' || :n, 'Added', 'added', 'Street; Town');
UPDATE "Item" SET "QTY" = "QTY" + 1, state = 'Paid' WHERE id = :n + 1;
SELECT id, name, "QTY" FROM "Item" WHERE id < 9 ORDER BY id;

-- [holds]
SELECT count(*) > 190 FROM "Item";
