/*
title = "Names and labels with dollar quotes, braces, a colon and comment signs"
base = false
required = "owner"
table = '"it $body$; $$ em"'
column = "a:'b'{c}"
enum = '"st $$ /* :e"'
enum_column = "$body$"
text = '--p'
nullable = "':n' $body$"
fill = 'name'
other_label = '$body$'
renamed_label = '$body$'
retired_label = 'a; $$ b'
unused_label = ':label {x}'
index = '"ix $do$ /* */"'
index_columns = "\"a:'b'{c}\", name"
unique_name = 'k $body$ $$'
condition = "\"a:'b'{c}\" > -1"
[index-replace]
index = 'ix $do$ /* */'
[enum-add-value]
label = '$$ add $body$'
[enum-rename-value]
new_label = ':new {label} $$'
[column-rename]
new_name = 'new $body$ :x'
[column-add]
column = 'add $body$ $$'
comment = 'It is $body$ :x $$ {y}.'
[column-change-type]
column = "':n' $body$"
type = "character varying(90)"
to_new = "value::character varying(90)"
to_old = "value::text"
[column-split]
first = 'f $body$'
second = 's $$'
joined = "first || '; ' || second"
*/
-- [set up]
CREATE TYPE "st $$ /* :e" AS ENUM ('new', '$body$', 'a; $$ b', ':label {x}');
CREATE TABLE person (id integer PRIMARY KEY);
INSERT INTO person SELECT generate_series(1, 20);
CREATE TABLE "it $body$; $$ em" (
    id integer PRIMARY KEY,
    owner integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    "a:'b'{c}" integer NOT NULL DEFAULT 1,
    "':n' $body$" text,
    "--p" text NOT NULL,
    "$body$" "st $$ /* :e" NOT NULL DEFAULT 'new'
);
INSERT INTO "it $body$; $$ em"
SELECT number, 1 + number % 20, 'c' || number, 'Item ' || number, number % 7, NULL, 'Street; Town',
       (CASE WHEN number > 100 THEN 'a; $$ b' ELSE 'new' END)::"st $$ /* :e"
FROM generate_series(1, 200) AS number;
CREATE INDEX "ix $do$ /* */" ON "it $body$; $$ em" ("a:'b'{c}");

-- [traffic]
INSERT INTO "it $body$; $$ em" (id, owner, code, name, "':n' $body$", "--p")
VALUES (100000 + :n, 1, 'd' || :n, 'Added', 'added', 'Street; Town');
UPDATE "it $body$; $$ em" SET "a:'b'{c}" = "a:'b'{c}" + 1, "$body$" = '$body$' WHERE id = :n + 1;
SELECT id, name, "a:'b'{c}" FROM "it $body$; $$ em" WHERE id < 9 ORDER BY id;
