"""Runbooks for columns, keys and names on tables of others, as a role that owns the table and no more."""

from __future__ import annotations

import psycopg
import pytest

from support.foreign import BACK, FORWARD, Foreign, Values

#: A name that every layer of quoting trips over.
NAME = "p%1$s \\ 'q\" "
Q = '"p%1$s \\ \'q"" "'
TABLE = {"table": "t"}
ADD = {**TABLE, "column": "c", "type": "int", "comment": "c"}
TYPE = {**TABLE, "column": "c", "type": "bigint", "to_new": "value::bigint", "to_old": "value::int"}
FILL = {**TABLE, "column": "c", "expression": "7"}
SPLIT = {
    **TABLE,
    "column": "c",
    "first": "a",
    "first_type": "text",
    "first_value": "split_part(value, ';', 1)",
    "second": "b",
    "second_type": "text",
    "second_value": "substring(value FROM ';(.*)$')",
    "joined": "first || ';' || second",
}
FORCED = (
    "CREATE TABLE t (id int PRIMARY KEY, c int)",
    "INSERT INTO t VALUES (1, 1)",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE t FORCE ROW LEVEL SECURITY",
    "CREATE POLICY p ON t USING (current_setting('app.who', true) = 'me')",
)
TOUCH = (
    "CREATE TABLE t (id int PRIMARY KEY, c int)",
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.c := 1; RETURN NEW; END'",
    "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()",
)
VECTOR = (
    "CREATE TABLE t (id int PRIMARY KEY, v tsvector, c text)",
    "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW"
    " EXECUTE FUNCTION tsvector_update_trigger('v', 'pg_catalog.english', 'c')",
)
KEY = {**TABLE, "column": "id"}
KEYS = ("CREATE TABLE t (id int PRIMARY KEY, c int)", "CREATE TABLE r (t_id int REFERENCES t)")
RENAME = {**TABLE, "new_name": "n%"}
STARS = (
    "CREATE DOMAIN stars AS int DEFAULT 1",
    'CREATE DOMAIN "Must be" AS text NOT NULL',
    'CREATE TABLE t (id int PRIMARY KEY, c stars, "K" stars DEFAULT 5, s "Must be" DEFAULT \'s\')',
)
FULL = (
    "CREATE TABLE t (id int PRIMARY KEY, c int)",
    "DO $$ BEGIN FOR n IN 1 .. 1598 LOOP EXECUTE format('ALTER TABLE t ADD COLUMN g%s int', n);"
    " EXECUTE format('ALTER TABLE t DROP COLUMN g%s', n); END LOOP; END $$",
)
RETIRE = {**TABLE, "column": "e", "label": "x", "replacement": "y", "constraint_name": "k"}
RULED = (
    "CREATE TYPE e AS ENUM ('x', 'y')",
    "CREATE TABLE t (id int PRIMARY KEY, e e)",
    "CREATE TABLE log (id int)",
    "CREATE RULE r AS ON UPDATE TO t DO ALSO INSERT INTO log VALUES (NEW.id)",
)
REFUSED = [
    ("enum-retire-value", RETIRE, "rules rewrite UPDATE", RULED),
    ("table-rename", RENAME, "in place of their own", STARS),
    ("column-rename", {**TABLE, "column": "c", "new_name": "d"}, '"K", c', STARS),
    ("column-change-type", {**TYPE, "type": "integer"}, "of a domain with a default", STARS),
    ("column-drop", {**TABLE, "column": "s", "type": '"Must be"'}, "refuses NULL", STARS),
    ("column-add", {**ADD, "column": "d"}, "1,600 columns", FULL),
    ("column-drop", {**TABLE, "column": "c", "type": "integer"}, "1,600 columns", FULL),
    ("column-change-type", TYPE, "1,600 columns", FULL),
    ("key-bigint", KEY, "1,600 columns", FULL),
    ("backfill-in-batches", FILL, "row-level security hides rows", FORCED),
    ("column-change-type", TYPE, "row-level security hides rows", FORCED),
    ("column-drop", {**TABLE, "column": "c", "type": "integer"}, "checked: touch()", TOUCH),
    ("column-drop", {**TABLE, "column": "c", "type": "text"}, "trigger x on t", VECTOR),
    ("column-rename", {**TABLE, "column": "c", "new_name": "d"}, "trigger x on t", VECTOR),
    ("column-drop", {**TABLE, "column": "typo", "type": "text"}, "no such column", VECTOR),
    (
        "column-drop",
        {**TABLE, "column": "c", "type": "integer"},
        "replica identity",
        (
            "CREATE TABLE t (id int PRIMARY KEY, c int NOT NULL DEFAULT 1 UNIQUE)",
            "ALTER TABLE t REPLICA IDENTITY USING INDEX t_c_key",
        ),
    ),
    (
        "column-add",
        ADD,
        "published by p",
        ("CREATE TABLE t (id int PRIMARY KEY)", "CREATE PUBLICATION p FOR TABLE t"),
    ),
    (
        "column-add",
        {**ADD, "value": "1"},
        "default: u.r",
        ("CREATE TABLE t (id int)", "CREATE DOMAIN d AS t", "CREATE TABLE u (r d[])"),
    ),
    (
        "column-add",
        ADD,
        "checked: rows()",
        (
            "CREATE TABLE t (id int)",
            "CREATE FUNCTION rows() RETURNS SETOF t LANGUAGE sql AS 'SELECT id FROM t'",
        ),
    ),
    (
        "column-change-type",
        {**TABLE, "column": "c", "type": "timestamptz", "to_new": "value", "to_old": "value"},
        "TimeZone",
        ("CREATE TABLE t (c timestamp)", "INSERT INTO t VALUES ('2026-02-03 04:05')"),
    ),
    (
        "column-change-type",
        {**TYPE, "to_new": "coalesce(value, 0)"},
        "let NULL stay NULL",
        ("CREATE TABLE t (c int)",),
    ),
    ("column-change-type", TYPE, "not of this runbook", ("CREATE TABLE t (c int, c_old bigint)",)),
    (
        "column-split",
        SPLIT,
        "come out different",
        ("CREATE TABLE t (c text)", "INSERT INTO t VALUES ('a;b'), ('none')"),
    ),
    ("key-bigint", KEY, "row-level security hides rows", FORCED),
    ("key-bigint", KEY, "on view public.v", (*KEYS, "CREATE VIEW v AS SELECT t_id FROM r")),
    (
        "key-bigint",
        KEY,
        "r.t_id",
        (KEYS[0], "CREATE TABLE r (t_id int REFERENCES t) PARTITION BY LIST (t_id)"),
    ),
    ("key-bigint", KEY, "deferrable key", ("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE)",)),
    ("key-bigint", KEY, "column a of table u", (*KEYS, "CREATE TABLE u (a r[])")),
    ("key-bigint", KEY, "r_t_id_check of r", (*KEYS, "ALTER TABLE r ADD CHECK (t_id > 7) NOT VALID")),
    ("key-bigint", KEY, "would not have them: r.t_id", (*KEYS, "GRANT SELECT (t_id) ON r TO PUBLIC")),
    ("key-bigint", KEY, "not of this runbook", (*KEYS, "ALTER TABLE r ADD t_id_old int")),
    (
        "key-bigint",
        KEY,
        "mine(bigint) does not exist",
        (
            *KEYS,
            "CREATE FUNCTION mine(int) RETURNS int IMMUTABLE RETURN $1",
            "CREATE INDEX ON r (mine(t_id))",
        ),
    ),
    (
        "key-bigint",
        KEY,
        "checked: of_r()",
        (*KEYS, "CREATE FUNCTION of_r() RETURNS int LANGUAGE sql AS 'SELECT max(t_id) FROM r'"),
    ),
    ("table-rename", RENAME, "new name is there", ("CREATE TABLE t (id int)", 'CREATE TYPE "n%" AS (c int)')),
    ("table-rename", RENAME, "inherit", ("CREATE TABLE t (id int)", "CREATE TABLE u () INHERITS (t)")),
    (
        "table-rename",
        RENAME,
        "checked: emptied()",
        ("CREATE TABLE t (id int)", "CREATE FUNCTION emptied() RETURNS void LANGUAGE sql AS 'TRUNCATE t'"),
    ),
    (
        "table-rename",
        RENAME,
        "checked: monthly()",
        (
            "CREATE TABLE t (id int) PARTITION BY RANGE (id)",
            "CREATE FUNCTION monthly() RETURNS void LANGUAGE plpgsql AS"
            " $$BEGIN EXECUTE 'CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (1) TO (2)'; END$$",
        ),
    ),
    (
        "table-rename",
        RENAME,
        "checked: number()",
        (
            "CREATE TABLE t (id serial)",
            "CREATE FUNCTION number() RETURNS text LANGUAGE sql AS"
            " $$SELECT pg_get_serial_sequence('t', 'id')$$",
        ),
    ),
    (
        "table-rename",
        RENAME,
        "checked: touch()",
        (*TOUCH[:2], "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch('t')"),
    ),
]


@pytest.mark.parametrize(("runbook", "values", "said", "statements"), REFUSED)
def test_it_is_refused_and_left_as_it_was(
    foreign: Foreign, runbook: str, values: Values, said: str, statements: tuple[str, ...]
) -> None:
    foreign.has(*statements)
    before = foreign.state()
    assert said in foreign.play(runbook, FORWARD, values)
    assert "no receipt here" in foreign.play(runbook, BACK, values)
    assert before.differences(foreign.state()) == []


ALONG_THE_PATH = (
    "CREATE TABLE t (id int PRIMARY KEY, c text, g int GENERATED ALWAYS AS (id + 1) STORED)",
    "INSERT INTO t VALUES (1, 'A')",
    "CREATE FUNCTION low(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN lower($1); END'",
    "CREATE FUNCTION norm(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN low($1); END'",
)


def test_a_build_that_finds_no_name_along_the_path_is_not_begun(foreign: Foreign) -> None:
    """Since 17 a build has a search path of its own; a function with one too is fine on each server."""
    foreign.has(*ALONG_THE_PATH)
    before = foreign.state()
    values = {**TABLE, "index": "i", "columns": "norm(c)", "comment": "c"}
    said = foreign.play("index-create", FORWARD, values)
    if foreign.server.major >= 17:
        assert "low(text) does not exist" in said
        assert before.differences(foreign.state()) == []
        foreign.has("ALTER FUNCTION norm(text) SET search_path = public")
        said = foreign.play("index-create", FORWARD, values)
    assert not said


DONE = [
    ("column-add", {**ADD, "column": NAME, "value": "5"}, ("CREATE TABLE t (id int)",)),
    (
        "column-rename",
        {**TABLE, "column": NAME, "new_name": f"n{NAME}"},
        (f"CREATE TABLE t (id int, {Q} text)", "INSERT INTO t VALUES (1, 'a')"),
    ),
    (
        "column-change-type",
        {**TABLE, "column": NAME, "type": "jsonb", "to_new": "value::jsonb", "to_old": "value::json"},
        (
            f"CREATE TABLE t (id int, {Q} json DEFAULT '[\"%\"]')",
            "INSERT INTO t (id) VALUES (1)",
            "INSERT INTO t VALUES (2, NULL)",
        ),
    ),
    (
        "column-split",
        {**SPLIT, "column": NAME, "first": f"1{NAME}", "second": f"2{NAME}"},
        (f"CREATE TABLE t (id int, {Q} text)", "INSERT INTO t VALUES (1, 'x;y'), (2, NULL), (3, '%;''')"),
    ),
    (
        "backfill-in-batches",
        {**FILL, "column": "c%", "expression": "id"},
        (
            f'CREATE TABLE t ({Q} text, id int, "c%" int, PRIMARY KEY ({Q}, id))',
            "INSERT INTO t SELECT 'k' || n / 5, n FROM generate_series(1, 100) AS n",
        ),
    ),
    (
        "key-bigint",
        {**TABLE, "column": NAME},
        (
            f"CREATE TABLE t ({Q} int GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 3 MAXVALUE 9999 CYCLE),"
            f" a int, up int, PRIMARY KEY (a, {Q}), UNIQUE ({Q}),"
            f" FOREIGN KEY (a, up) REFERENCES t ON DELETE CASCADE)",
            "COMMENT ON CONSTRAINT t_pkey ON t IS 'The key''s 50%.'",
            f"CREATE UNIQUE INDEX ON t ({Q} DESC) INCLUDE (a) WITH (fillfactor = 70) WHERE {Q} > 0",
            f"CREATE INDEX i ON t (({Q} % 7), a)",
            "ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 9",
            f"ALTER TABLE t ADD CHECK ({Q} > 0 AND a < {Q} * 2000)",
            f"COMMENT ON COLUMN t.{Q} IS 'It is.'",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO PUBLIC",
            "INSERT INTO t (a) SELECT n FROM generate_series(1, 50) AS n",
            f"UPDATE t SET up = {Q}",
            "CREATE TABLE small (id smallint PRIMARY KEY, wide bigint)",
            f"ALTER TABLE small ADD FOREIGN KEY (id) REFERENCES t ({Q}) DEFERRABLE INITIALLY DEFERRED",
            f"ALTER TABLE small ADD FOREIGN KEY (wide) REFERENCES t ({Q}) ON DELETE SET NULL",
            "INSERT INTO small VALUES (5, 8)",
            "CREATE TABLE below (id serial, of int DEFAULT 5 NOT NULL REFERENCES small)",
            "CREATE INDEX ON below (of DESC NULLS LAST, id) WHERE of IS NOT NULL",
            "INSERT INTO below VALUES (1)",
            "ALTER TABLE below ADD FOREIGN KEY (id) REFERENCES small NOT VALID",
        ),
    ),
    (
        "table-rename",
        RENAME,
        (
            "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, c int REFERENCES t)",
            "CREATE TABLE u (t_id int REFERENCES t)",
            "CREATE VIEW v AS SELECT * FROM t",
            "COMMENT ON TABLE t IS '50% of it'",
            "GRANT SELECT, UPDATE ON t TO PUBLIC",
            "INSERT INTO t (c) VALUES (1)",
        ),
    ),
]


@pytest.mark.parametrize(("runbook", "values", "statements"), DONE)
def test_it_is_done_once_and_undone(
    foreign: Foreign, runbook: str, values: Values, statements: tuple[str, ...]
) -> None:
    foreign.has(*statements)
    before = foreign.state()
    assert foreign.play(runbook, FORWARD, values) == ""
    done = foreign.state()
    assert before.differences(done) != []
    assert foreign.play(runbook, FORWARD, values) == ""
    assert done.differences(foreign.state()) == []
    assert foreign.play(runbook, BACK, values) == ""
    assert before.differences(foreign.state()) == []
    assert "no receipt here" in foreign.play(runbook, BACK, values)


def test_roll_back_leaves_what_was_there_before(foreign: Foreign) -> None:
    foreign.has("CREATE TABLE t (id int PRIMARY KEY, c int)", "INSERT INTO t VALUES (1, 7), (2, NULL)")
    before = foreign.state()
    assert foreign.play("column-add", FORWARD, ADD) == ""
    assert before.differences(foreign.state()) == []
    assert "no receipt here" in foreign.play("column-add", BACK, ADD)
    assert foreign.play("backfill-in-batches", FORWARD, FILL) == ""  # a row held the value before
    filled = foreign.state()
    assert "no receipt here" in foreign.play("backfill-in-batches", BACK, FILL)
    assert filled.differences(foreign.state()) == []


def test_a_column_made_anew_by_somebody_is_not_dropped(foreign: Foreign) -> None:
    foreign.has("CREATE TABLE t (id int PRIMARY KEY)")
    assert foreign.play("column-add", FORWARD, ADD) == ""
    foreign.has("ALTER TABLE t DROP COLUMN c", "ALTER TABLE t ADD COLUMN c int")
    theirs = foreign.state()
    assert "this one is not touched" in foreign.play("column-add", BACK, ADD)
    assert theirs.differences(foreign.state()) == []


def test_a_dropped_column_comes_back_with_all_that_stood_beside_it(foreign: Foreign) -> None:
    foreign.has(
        f"CREATE TABLE t (id int, {Q} text COLLATE \"C\" DEFAULT 'a%' CHECK ({Q} <> '%'),"
        f" UNIQUE ({Q}) DEFERRABLE)",
        f"CREATE INDEX i ON t ({Q} text_pattern_ops DESC)",
        f"ALTER TABLE t ALTER {Q} SET STATISTICS 7, ALTER {Q} SET STORAGE EXTERNAL",
        f"ALTER TABLE t ALTER {Q} SET (n_distinct = 5)",
        "ALTER TABLE t CLUSTER ON i",
        "COMMENT ON INDEX i IS 'i''s'",
        f"COMMENT ON COLUMN t.{Q} IS 'c''s'",
        f"GRANT SELECT ({Q}) ON t TO PUBLIC",
    )
    before = foreign.state()
    values = {**TABLE, "column": NAME, "type": "text"}
    assert foreign.play("column-drop", FORWARD, values) == ""
    assert foreign.play("column-drop", BACK, values) == ""
    assert before.differences(foreign.state()) == []


def test_a_key_that_the_old_column_cannot_hold_ends_the_way_back(foreign: Foreign) -> None:
    foreign.has(
        "CREATE TABLE t (id serial PRIMARY KEY, c int)",
        "CREATE TABLE r (t_id int NOT NULL REFERENCES t ON UPDATE CASCADE)",
        "INSERT INTO t (c) VALUES (1)",
    )
    assert foreign.play("key-bigint", FORWARD, KEY) == ""
    foreign.has("INSERT INTO r VALUES (1)")  # by position: the old column is in the place of the key
    with pytest.raises(psycopg.errors.RaiseException, match="another order"):
        foreign.has("INSERT INTO t VALUES (7, 1)")  # the default has made another key
    foreign.has("UPDATE t SET id = 3000000000")
    assert "no way back" in foreign.play("key-bigint", BACK, KEY)
    foreign.has("UPDATE t SET id = -3")
    assert foreign.play("key-bigint", BACK, KEY) == ""
    foreign.has(
        "DO 'BEGIN ASSERT (SELECT min(t_id)::text || pg_typeof(min(t_id)) FROM r) = ''-3integer''; END'"
    )
