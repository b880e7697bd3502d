/*
title = "Names and labels with a percent sign"
base = false
required = "owner"
table = '"100% item"'
column = 'rate %s'
enum = '"rate %s state"'
enum_column = "state"
text = 'rate %s place'
nullable = 'rate %s note'
fill = 'name'
other_label = '50%I off'
renamed_label = '50%I off'
index = '"rate %s idx"'
index_columns = '"rate %s", name'
unique_name = 'rate %s key'
condition = '"rate %s" > -1'
[index-replace]
index = 'rate %s idx'
[enum-add-value]
label = 'added 50%I off'
*/
-- [set up]
CREATE TYPE "rate %s state" AS ENUM ('new', '50%I off', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE TABLE "100% item" (
    id integer PRIMARY KEY,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    "rate %s" integer NOT NULL DEFAULT 1,
    "rate %s note" text,
    "rate %s place" text NOT NULL,
    state "rate %s state" NOT NULL DEFAULT 'new'
);
INSERT INTO "100% item"
SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number, number % 7, NULL, 'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::"rate %s state"
FROM generate_series(1, 200) AS number;
CREATE INDEX "rate %s idx" ON "100% item" ("rate %s");

-- [traffic]
INSERT INTO "100% item" (id, owner, code, name, "rate %s note", "rate %s place")
VALUES (100000 + :n, 1, 'd' || :n, 'Added', 'added', 'Street; Town');
UPDATE "100% item" SET "rate %s" = "rate %s" + 1, state = '50%I off' WHERE id = :n + 1;
SELECT id, name, "rate %s" FROM "100% item" WHERE id < 9 ORDER BY id;

-- [holds]
SELECT count(*) > 190 FROM "100% item";
