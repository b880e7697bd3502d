/*
title = "Names in mixed case, reserved, with blanks and quotes"
base = false
required = "owner"
table = "\"Order\""
column = "user"
enum = "\"user state\""
enum_column = "state"
text = "user place"
nullable = "user note"
fill = "name"
other_label = "it's \"paid\""
renamed_label = "it's \"paid\""
index = "\"user idx\""
index_columns = "\"user\", name"
unique_name = "user key"
condition = "\"user\" > -1"
[index-replace]
index = "user idx"
[enum-add-value]
label = "added it's \"paid\""
*/
-- [set up]
CREATE TYPE "user state" AS ENUM ('new', 'it''s "paid"', 'shipped', 'cancelled');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE TABLE "Order" (
    id integer PRIMARY KEY,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    "user" integer NOT NULL DEFAULT 1,
    "user note" text,
    "user place" text NOT NULL,
    state "user state" NOT NULL DEFAULT 'new'
);
INSERT INTO "Order"
SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number, number % 7, NULL, 'Street; Town',
       (CASE WHEN number > 100 THEN 'shipped' ELSE 'new' END)::"user state"
FROM generate_series(1, 200) AS number;
CREATE INDEX "user idx" ON "Order" ("user");

-- [traffic]
INSERT INTO "Order" (id, owner, code, name, "user note", "user place")
VALUES (100000 + :n, 1, 'd' || :n, 'Added', 'added', 'Street; Town');
UPDATE "Order" SET "user" = "user" + 1, state = 'it''s "paid"' WHERE id = :n + 1;
SELECT id, name, "user" FROM "Order" WHERE id < 9 ORDER BY id;

-- [holds]
SELECT count(*) > 190 FROM "Order";
