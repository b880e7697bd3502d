"""Changes by hand of what ``odd.sql`` makes: the SQL that is shown puts each of them right."""

from __future__ import annotations

_LINE = '"O o"."Order Line"'

#: name -> statement; of kinds that lose no row, so that each can be undone.
UNDONE: dict[str, str] = {
    "table renamed": f"ALTER TABLE {_LINE} RENAME TO line",
    "column dropped": f"ALTER TABLE {_LINE} DROP ranges",
    "column dropped with a view": f'ALTER TABLE {_LINE} DROP words CASCADE',
    "column renamed": f'ALTER TABLE {_LINE} RENAME "Unit Price" TO price',
    "wider integer": f"ALTER TABLE {_LINE} ALTER size TYPE bigint",
    "longer text": f"ALTER TABLE {_LINE} ALTER code TYPE varchar(40)",
    "other collation": f'ALTER TABLE {_LINE} ALTER code TYPE varchar(20) COLLATE "C"',
    "default changed": f"ALTER TABLE {_LINE} ALTER kind SET DEFAULT 'c, d'",
    "default dropped": f'ALTER TABLE {_LINE} ALTER "Unit Price" DROP DEFAULT',
    "default added": f"ALTER TABLE {_LINE} ALTER words SET DEFAULT 'a; b'",
    "not null dropped": f'ALTER TABLE {_LINE} ALTER "Unit Price" DROP NOT NULL',
    "not null added": f"ALTER TABLE {_LINE} ALTER words SET NOT NULL",
    "expression": f'ALTER TABLE {_LINE} DROP "Total"; ALTER TABLE {_LINE} ADD "Total" numeric'
    ' GENERATED ALWAYS AS ("Unit Price" * 3) STORED',
    "identity always": f'ALTER TABLE {_LINE} ALTER "No" SET GENERATED ALWAYS',
    "identity numbers": f'ALTER TABLE {_LINE} ALTER "No" SET INCREMENT BY 7 SET MAXVALUE 900'
    " SET CYCLE SET CACHE 4",
    "identity gone": f'ALTER TABLE {_LINE} ALTER "No" DROP IDENTITY',
    "storage": f"ALTER TABLE {_LINE} ALTER words SET STORAGE PLAIN",
    "storage of a number": f'ALTER TABLE {_LINE} ALTER "Unit Price" SET STORAGE EXTERNAL',
    "compression": f"ALTER TABLE {_LINE} ALTER words SET COMPRESSION pglz",
    "statistics target": f'ALTER TABLE {_LINE} ALTER "Unit Price" SET STATISTICS 77',
    "column options": f"ALTER TABLE {_LINE} ALTER kind SET (n_distinct = -0.5)",
    "table options": f"ALTER TABLE {_LINE} SET (fillfactor = 60, toast.autovacuum_enabled = off)",
    "index options": 'ALTER INDEX "O o".code_c SET (fillfactor = 90)',
    "index options gone": 'ALTER INDEX "O o".code_c RESET (fillfactor)',
    "index operator class": 'DROP INDEX "O o"."Words Once"; CREATE UNIQUE INDEX "Words Once" ON'
    f" {_LINE} (lower(words)) WHERE words <> '(;)'",
    "index collation": f'DROP INDEX "O o".code_c; CREATE INDEX code_c ON {_LINE} (code DESC)',
    "index renamed": 'ALTER INDEX "O o"."Words Once" RENAME TO words_once',
    "replica identity": f"ALTER TABLE {_LINE} REPLICA IDENTITY FULL",
    "cluster mark": f'ALTER TABLE {_LINE} CLUSTER ON "Line Key"',
    "unlogged": 'ALTER TABLE "O o".log OWNER TO app_owner;'
    ' ALTER PUBLICATION "Line Feed" DROP TABLE "O o".part;'
    ' ALTER TABLE "O o".part SET UNLOGGED',
    "key renamed": f'ALTER TABLE {_LINE} RENAME CONSTRAINT "Line Key" TO line_key',
    "check gone": f'ALTER TABLE {_LINE} DROP CONSTRAINT "Positive Price"',
    "check otherwise": f'ALTER TABLE {_LINE} DROP CONSTRAINT "Positive Price";'
    f' ALTER TABLE {_LINE} ADD CONSTRAINT "Positive Price" CHECK ("Unit Price" >= 0) NOT VALID',
    "check validated": 'ALTER TABLE "O o".part VALIDATE CONSTRAINT later',
    "foreign key deferred": 'ALTER TABLE "O o".part ALTER CONSTRAINT "To Line"'
    " DEFERRABLE INITIALLY DEFERRED",
    "foreign key at once": 'ALTER TABLE "O o".part ALTER CONSTRAINT "To Line" NOT DEFERRABLE',
    "foreign key gone": 'ALTER TABLE "O o".part DROP CONSTRAINT "To Line"',
    "trigger off": f'ALTER TABLE {_LINE} DISABLE TRIGGER "Guard It"',
    "trigger in replicas": f'ALTER TABLE {_LINE} ENABLE REPLICA TRIGGER "Guard It"',
    "trigger gone": f'DROP TRIGGER "Guard It" ON {_LINE}',
    "all triggers off": f"ALTER TABLE {_LINE} DISABLE TRIGGER ALL",
    "rule off": 'ALTER TABLE "O o".part DISABLE RULE "No Delete"',
    "rule gone": 'DROP RULE "No Delete" ON "O o".part',
    "rule otherwise": 'CREATE OR REPLACE RULE "No Delete" AS ON DELETE TO "O o".part DO INSTEAD SELECT 1',
    "row security off": 'ALTER TABLE "O o".part DISABLE ROW LEVEL SECURITY',
    "row security forced": 'ALTER TABLE "O o".part FORCE ROW LEVEL SECURITY',
    "policy for one role": 'ALTER POLICY "Only Mine" ON "O o".part TO app_reader',
    "policy added": 'CREATE POLICY "All; Of It" ON "O o".part AS RESTRICTIVE USING (true)',
    "statistics object gone": 'DROP STATISTICS "O o"."Line Stat"',
    "statistics object target": 'ALTER STATISTICS "O o"."Line Stat" SET STATISTICS 20',
    "column comment": f"COMMENT ON COLUMN {_LINE}.\"Unit Price\" IS 'gross'",
    "trigger comment": f"COMMENT ON TRIGGER \"Guard It\" ON {_LINE} IS 'why; not'",
    "constraint comment": "COMMENT ON CONSTRAINT \"five long\" ON DOMAIN \"O o\".\"Zip Code\" IS 'why'",
    "column grants": f"REVOKE UPDATE (words) ON {_LINE} FROM app_reader;"
    f" GRANT SELECT (zip) ON {_LINE} TO app_reader",
    "table grants": f"GRANT DELETE, TRUNCATE ON {_LINE} TO app_writer WITH GRANT OPTION",
    "schema grants": 'GRANT USAGE, CREATE ON SCHEMA "O o" TO app_reader',
    "function grants": 'REVOKE ALL ON FUNCTION "O o"."Add"(int, int) FROM PUBLIC, app_writer',
    "procedure grants": 'REVOKE ALL ON PROCEDURE "O o"."Do It"(int) FROM PUBLIC',
    "sequence grants": 'GRANT USAGE ON SEQUENCE "O o"."Next" TO app_reader',
    "type grants": 'REVOKE ALL ON TYPE "O o"."Kind" FROM PUBLIC',
    "default privileges": 'ALTER DEFAULT PRIVILEGES IN SCHEMA "O o" GRANT EXECUTE ON FUNCTIONS TO app_reader',
    "table owner": f"ALTER TABLE {_LINE} OWNER TO app_owner",
    "function owner": 'ALTER FUNCTION "O o"."Add"(int, int) OWNER TO app_owner',
    "function body": 'CREATE OR REPLACE FUNCTION "O o"."Add"(a int, b int DEFAULT 3, OUT sum int)'
    " LANGUAGE sql AS 'SELECT a - b'",
    "function's result": 'DROP FUNCTION "O o".rows_of(int[]); CREATE FUNCTION'
    ' "O o".rows_of(VARIADIC v int[])'
    " RETURNS SETOF bigint LANGUAGE sql AS 'SELECT 1::bigint'",
    "function's setting": 'ALTER FUNCTION "O o".guard() SET work_mem = \'1MB\'',
    "overload": 'CREATE FUNCTION "O o"."Add"(text) RETURNS text LANGUAGE sql AS $$SELECT $1$$',
    "procedure gone": 'DROP PROCEDURE "O o"."Do It"(int)',
    "operator gone": 'DROP OPERATOR "O o".~~~ (int, int)',
    "aggregate otherwise": 'DROP AGGREGATE "O o".most(int); CREATE AGGREGATE "O o".most(int)'
    " (SFUNC = int4smaller, STYPE = int)",
    "cast in assignments": 'DROP CAST (int AS "O o".pair); CREATE CAST (int AS "O o".pair)'
    ' WITH FUNCTION "O o".to_pair(int) AS ASSIGNMENT',
    "label renamed": 'ALTER TYPE "O o"."Kind" RENAME VALUE \'c, d\' TO \'e\'',
    "attribute's neighbour": 'COMMENT ON TYPE "O o".pair IS \'two\'',
    "range otherwise": 'DROP TYPE "O o".weeks; CREATE TYPE "O o".weeks AS RANGE (subtype = timestamptz)',
    "domain default": 'ALTER DOMAIN "O o"."Zip Code" SET DEFAULT \'11111\'',
    "domain not null": 'ALTER DOMAIN "O o"."Zip Code" SET NOT NULL',
    "domain check": 'ALTER DOMAIN "O o"."Zip Code" DROP CONSTRAINT "five long"; ALTER DOMAIN'
    ' "O o"."Zip Code" ADD CONSTRAINT "six (long)" CHECK (length(VALUE) = 6)',
    "collation gone": 'DROP COLLATION "O o".byte CASCADE',
    "sequence numbers": 'ALTER SEQUENCE "O o"."Next" MAXVALUE 1000 NO CYCLE INCREMENT BY -1',
    "sequence owned": f'ALTER SEQUENCE "O o"."Next" OWNED BY {_LINE}.size',
    "view under a view": 'DROP VIEW "O o"."Lines" CASCADE; CREATE VIEW "O o"."Lines" AS SELECT 1 AS one',
    "view's option": 'ALTER VIEW "O o"."Lines" SET (security_invoker = true)',
    "matview otherwise": 'DROP MATERIALIZED VIEW "O o"."Sums"; CREATE MATERIALIZED VIEW'
    ' "O o"."Sums" AS SELECT 1 AS s',
    "matview's option": 'ALTER MATERIALIZED VIEW "O o"."Sums" SET (fillfactor = 50)',
    "partition off": 'ALTER TABLE "O o".log DETACH PARTITION "O o"."log first"',
    "partition elsewhere": 'ALTER TABLE "O o".log DETACH PARTITION "O o"."log first";'
    ' ALTER TABLE "O o".log'
    " ATTACH PARTITION \"O o\".\"log first\" FOR VALUES IN ('2027-01-01')",
    "partitioned index gone": 'DROP INDEX "O o".log_note',
    "publication's columns": f'ALTER PUBLICATION "Line Feed" SET TABLE {_LINE} ("No"),'
    ' "O o".part WHERE ("No" > 1)',
    "publication's actions": 'ALTER PUBLICATION "Line Feed" SET (publish = \'delete\','
    " publish_via_partition_root = true)",
    "search mapping": 'ALTER TEXT SEARCH CONFIGURATION "O o".search ALTER MAPPING FOR word WITH simple',
    "search mapping gone": 'ALTER TEXT SEARCH CONFIGURATION "O o".search DROP MAPPING FOR email, host',
    "event trigger off": "ALTER EVENT TRIGGER watch DISABLE",
    "database setting": "ALTER DATABASE {database} SET work_mem = '9MB'",
}  # fmt: skip

#: name -> (statement, words of the reason): what nobody can undo without losing something.
SAID: dict[str, tuple[str, str]] = {
    "column added": (f"ALTER TABLE {_LINE} ADD more text", "lose the column"),
    "table added": ('CREATE TABLE "O o"."More" (a int)', "lose the table"),
    "sequence added": ('CREATE SEQUENCE "O o".more', "lose the sequence"),
    "label added": ('ALTER TYPE "O o"."Kind" ADD VALUE \'new\' BEFORE \'a\'', "takes out or moves"),
    "attribute added": ('ALTER TYPE "O o".pair ADD ATTRIBUTE more int', "lose an attribute"),
    "partition added": ('CREATE TABLE "O o".log2 PARTITION OF "O o".log DEFAULT', "lose the table"),
    "finer scale": ('ALTER TABLE "O o".log ALTER note TYPE int USING 1', "may not hold"),
}  # fmt: skip
