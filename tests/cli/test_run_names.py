"""A name that is there in another case, or in another schema: the refusal says so."""

from __future__ import annotations

import pytest

from pgrehearse.servers import Server
from support.bench import Bench
from support.databases import Database, execute, mark, owned_on

PARAMETERS = "  table: {description: Table, example: x}\n  column: {description: Column, example: x}\n"
OK = """```text
 preflight
-----------
 ok
(1 row)
```"""
CHECK = (
    """```sql
SELECT CASE WHEN to_regclass(:'table') IS NULL THEN 'stop: there is no such table'
            WHEN NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(:'table')
                             AND attname = :'column') THEN 'stop: there is no such column'
            ELSE 'ok' END AS preflight;
```

"""
    + OK
)


def refusal(bench: Bench, database: Database, table: str, column: str, preflight: str = CHECK) -> str:
    bench.runbook(["SELECT :'table', :'column';"], parameters=PARAMETERS, preflight=preflight)
    settings = ["--set", f"table={table}", "--set", f"column={column}"]
    ended = bench.call("run", "sample", "--yes", "--dsn", database.dsn, *settings)
    assert ended.status == 1, ended.said
    return ended.err


@pytest.mark.parametrize(
    ("table", "column", "hint"),
    [
        ("Items", "Price", 'table=Items: there is the table public."Items"'),
        ("orders", "id", "table=orders: there is the table shop.orders"),
        ("other.orders", "id", "table=other.orders: there is the table shop.orders"),
        ('"Trace"', "note", 'table="Trace": there is the table public.trace'),
        ("trace", "Note", "column=Note: there is the column note"),
        ('"Items"', "price", "column=price: there is the column Price"),
        ('"Items"', '"Items"', 'column="Items": there is the column Items'),
        ("a.b", "id", 'table=a.b: there is the table public."a.b"'),
        ("end ", "id", 'table=end : there is the table public."end "'),
        (" end", "id", 'table= end: there is the table public." end"'),
        ('"q"', "id", 'table="q": there is the table public."""q"""'),
    ],
)
def test_what_a_name_may_mean_is_said(
    bench: Bench, staging: Database, table: str, column: str, hint: str
) -> None:
    staging.execute(
        'CREATE TABLE "Items" (id int, "Price" int, "Items" int);'
        "CREATE SCHEMA shop; CREATE TABLE shop.orders (id int);"
        'CREATE TABLE "a.b" (id int); CREATE TABLE "end " (id int); CREATE TABLE " end" (id int);'
        'CREATE TABLE "com,ma" (id int); CREATE TABLE """q""" (id int)'
    )
    said = refusal(bench, staging, table, column)
    assert said.startswith("error: refused: there is no such ")
    assert [line.strip() for line in said.splitlines() if "there is the" in line] == [hint.strip()]


def test_an_error_about_a_name_gets_the_hint_too(bench: Bench, staging: Database) -> None:
    staging.execute('CREATE TABLE "Items" (id int)')
    said = refusal(bench, staging, "Items", "id", "SELECT :'table'::regclass, :'column';")
    assert "42P01" in said
    assert 'there is the table public."Items"' in said


ENUM = """SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_enum AS e JOIN pg_attribute ON enumtypid = atttypid
                 WHERE attrelid = 'mood'::regclass AND attname = :'column' AND enumlabel = :'label')
            THEN 'stop: no such value' ELSE 'ok' END AS preflight;"""
CONSTRAINT = "SELECT 'stop: no such constraint as ' || :'rule' AS preflight;"
TYPE = "SELECT CASE WHEN to_regtype(:'type') IS NULL THEN 'stop: none' ELSE 'stop: other' END AS preflight;"


@pytest.mark.parametrize(
    ("preflight", "values", "hints"),
    [
        (ENUM, {"column": "How", "label": "Sad"}, ["label=Sad: there is the value sad"]),
        (ENUM, {"column": "How", "label": "none"}, []),
        (ENUM, {"column": "how", "label": "sad"}, ["column=how: there is the column How"]),
        (CONSTRAINT, {"rule": "Mood_Check"}, ["rule=Mood_Check: there is the constraint mood_check"]),
        (
            CONSTRAINT,
            {"rule": "public.mood_how_idx"},
            ["rule=public.mood_how_idx: there is the index mood_how_idx"],
        ),
        (CONSTRAINT, {"rule": '"How"'}, ['rule="How": there is the column How']),
        (CONSTRAINT, {"rule": "mood_check"}, []),
        (CONSTRAINT, {"rule": "id, how,"}, ["rule=how: there is the column How"]),
        (
            "SELECT :'type'::regtype;",
            {"type": "Shop.feeling"},
            ['type=Shop.feeling: there is the type shop."Feeling"'],
        ),
        (TYPE, {"type": "code"}, ["type=code: there is the type shop.code"]),
        (TYPE, {"type": "shop.CODE"}, []),
    ],
)
def test_each_kind_of_name_gets_its_hint(
    bench: Bench, staging: Database, preflight: str, values: dict[str, str], hints: list[str]
) -> None:
    """One that is there as it was given gets none, nor does one that the refused check does not ask for."""
    staging.execute(
        "CREATE SCHEMA shop; CREATE TYPE shop.\"Feeling\" AS ENUM ('sad', 'glad');"
        "CREATE DOMAIN shop.code AS text;"
        'CREATE TABLE mood (id int CONSTRAINT mood_check CHECK (id > 0), "How" shop."Feeling");'
        'CREATE INDEX mood_how_idx ON mood ("How"); CREATE TABLE "Rule" ()'
    )
    values = {"table": "mood", "comment": "Rule", **values}
    parameters = "".join(f"  {name}: {{description: Name, example: x}}\n" for name in values)
    apply = ["SELECT " + ", ".join(f":'{name}'" for name in values) + ";"]
    fences = f"```sql\n{preflight}\n```\n\n{OK}"
    bench.runbook(apply, parameters=parameters, preflight=fences)
    given = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, *given)
    assert ended.status == 1, ended.said
    assert [line.strip() for line in ended.err.splitlines() if "there is the" in line] == hints


@pytest.mark.parametrize("table", ["nothing", "it's; DROP", "a b", "1", ""])
def test_nothing_like_it_is_no_hint(bench: Bench, staging: Database, table: str) -> None:
    """The negative control; and what is no name at all does not disturb the refusal."""
    said = refusal(bench, staging, table, "id", CHECK.replace("to_regclass(:'table')", "to_regclass('x')"))
    assert "there is the" not in said
    assert "refused: there is no such table" in said


@pytest.mark.parametrize(
    ("preflight", "said"),
    [
        ("SELECT :'table'::regclass, :'column';", 'relation "items" does not exist (42P01)'),
        ("SELECT (:'column')::int;", 'invalid input syntax for type integer: "id" (22P02)'),
        ("SELECT :'table', :'column' COLLATE nobody;", 'collation "nobody" for'),
    ],
)
def test_what_postgresql_has_against_a_value_is_a_refusal(
    bench: Bench, staging: Database, preflight: str, said: str
) -> None:
    told = refusal(bench, staging, "Items", "id", preflight)
    assert told.startswith(f"error: refused: {said}")
    assert "Preflight 1/1" in told
    assert "nothing was changed" in told


def test_a_check_that_got_no_answer_is_no_refusal(bench: Bench, staging: Database) -> None:
    canceled = "SELECT :'table', :'column';\nDO $$ BEGIN RAISE query_canceled; END $$;"
    told = refusal(bench, staging, "Items", "id", canceled)
    assert told.startswith("error: ") and "57014" in told
    assert "refused" not in told


def test_a_parameter_of_an_earlier_version_changes_nothing(bench: Bench, staging: Database) -> None:
    parameters = PARAMETERS + "former:\n  key: the walk needs none\n"
    bench.runbook(["SELECT :'table', :'column';"], parameters=parameters)
    given = ["--set", "table=trace", "--set", "column=note", "--set", "key=id"]
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, *given)
    assert ended.status == 0, ended.said
    assert "--set key changes nothing any more: the walk needs none" in ended.err
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, *given, "--set", "keys=id")
    assert "no parameter 'keys'" in ended.err


KINDS = """\
  table: {description: T, kind: relation, example: x}
  column: {description: C, kind: name, example: x}
  columns: {description: L, kind: names, example: x}
  type: {description: Y, kind: type, example: text}
"""
LOOKED_UP = """SELECT CASE WHEN to_regclass(:'table') IS NULL THEN 'stop: there is no such table'
            WHEN to_regtype(:'type') IS NULL THEN 'stop: there is no such type'
            WHEN (SELECT count(*) FROM pg_attribute
                  WHERE attrelid = to_regclass(:'table')
                    AND (attname = :'column' OR attname IN (
                        SELECT btrim(name) FROM string_to_table(:'columns', ',') AS part (name)))) <> 3
                THEN 'stop: a column is missing'
            ELSE 'ok' END AS preflight;"""
PLACES = {"table": "App.Order", "column": "userId", "columns": "id, createdAt", "type": "Mood"}


def kinds_run(bench: Bench, database: Database, **values: str) -> tuple[int, str]:
    database.execute(
        'CREATE SCHEMA "App"; CREATE TYPE public."Mood" AS ENUM (\'sad\');'
        'CREATE TABLE "App"."Order" (id int, "userId" int, "createdAt" int, "a b" int)'
    )
    bench.runbook(
        ["SELECT :'table', :'column', :'columns', :'type';"],
        parameters=KINDS,
        preflight=f"```sql\n{LOOKED_UP}\n```\n\n{OK}",
    )
    given = [word for name, value in (PLACES | values).items() for word in ("--set", f"{name}={value}")]
    ended = bench.call("run", "sample", "--yes", "--dsn", database.dsn, *given)
    return ended.status, ended.said


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"table": '"App"."Order"', "column": '"userId"', "columns": '"id", "createdAt"', "type": '"Mood"'},
        {"table": '"App".Order', "columns": 'createdAt,"id"', "type": "public.Mood[]"},
        {"columns": "a b , createdAt", "type": "NUMERIC(10, 2)"},
    ],
)
def test_quotes_may_stand_in_every_parameter(bench: Bench, staging: Database, values: dict[str, str]) -> None:
    status, said = kinds_run(bench, staging, **values)
    assert status == 0, said


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"table": "app.order"}, 'table=app.order: there is the table "App"."Order"'),
        ({"table": "ORDER"}, 'table=ORDER: there is the table "App"."Order"'),
        ({"table": '"order"'}, 'table=order: there is the table "App"."Order"'),
        ({"column": "userid"}, "column=userid: there is the column userId"),
        ({"columns": '"ID", createdat'}, "columns=ID: there is the column id"),
        ({"columns": '"ID", createdat'}, "columns=createdat: there is the column createdAt"),
        ({"type": "mood"}, 'type=mood: there is the type public."Mood"'),
        ({"type": "Integer"}, "type=Integer: there is the type integer"),
    ],
)
def test_what_only_folding_would_find_is_refused_with_the_name(
    bench: Bench, staging: Database, values: dict[str, str], hint: str
) -> None:
    status, said = kinds_run(bench, staging, **values)
    assert status == 1, said
    assert "refused: " in said
    assert hint in [line.strip() for line in said.splitlines()]


def test_a_value_that_is_no_name_is_refused_before_the_database_is_asked(
    bench: Bench, staging: Database
) -> None:
    status, said = kinds_run(bench, staging, columns='"a,b"')
    assert status == 69, said
    assert 'a list of names cannot hold "a,b"' in said
    assert "Preflight" not in said


RELATION = "  table: {description: Table, example: x, kind: relation}\n"
KIND = (
    """```sql
SELECT CASE WHEN to_regclass(:'table') IS NULL THEN 'stop: there is no such table'
            WHEN (SELECT relkind FROM pg_class WHERE oid = to_regclass(:'table')) <> 'r' THEN 'stop: no table'
            WHEN NOT pg_has_role((SELECT relowner FROM pg_class WHERE oid = to_regclass(:'table')), 'USAGE')
                THEN 'stop: only the owner can do this' ELSE 'stop: something else' END AS preflight;
```

"""
    + OK
)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("seen", ["a view"]),
        ("shop.kept", ["a materialized view"]),
        ("number", ["a sequence"]),
        ("pair", ["a composite type"]),
        ("item_key", ["an index of item"]),
        ("parts_key", ["a partitioned index of parts"]),
        (
            "others",
            ["its owner is {other}, and {owner} is no member of that role", "{owner} may not read it"],
        ),
        (
            "hidden.item",
            ["GRANT USAGE ON SCHEMA hidden TO {owner} is missing; the owner of the schema is {other}"],
        ),
        ("item", []),
        ("parts", []),
    ],
)
def test_what_is_no_table_of_this_role_is_said(
    bench: Bench, server: Server, table: str, said: list[str]
) -> None:
    """The check is only asked whether it is a table; what it is, and whose, is told beside it."""
    bench.runbook(["SELECT :'table';"], parameters=RELATION, preflight=KIND)
    with owned_on(server) as owned:
        other = f"{owned.owner}_other"
        mark(owned.admin, "staging")
        execute(owned.admin, f"CREATE ROLE {other}; GRANT CREATE ON SCHEMA public TO {owned.owner}")
        execute(
            owned.admin,
            f"CREATE SCHEMA shop AUTHORIZATION {owned.owner}; CREATE SCHEMA hidden AUTHORIZATION {other};"
            f"CREATE TABLE others (); ALTER TABLE others OWNER TO {other};"
            f"CREATE TABLE hidden.item (); ALTER TABLE hidden.item OWNER TO {owned.owner}",
        )
        owned.execute(
            "CREATE TABLE item (id int CONSTRAINT item_key PRIMARY KEY);"
            "CREATE VIEW seen AS SELECT * FROM item;"
            "CREATE MATERIALIZED VIEW shop.kept AS SELECT * FROM item; CREATE SEQUENCE number;"
            "CREATE TYPE pair AS (a int);"
            "CREATE TABLE parts (id int CONSTRAINT parts_key PRIMARY KEY) PARTITION BY RANGE (id)"
        )
        ended = bench.call("run", "sample", "--yes", "--dsn", owned.dsn, "--set", f"table={table}")
        execute(owned.admin, f"DROP OWNED BY {other} CASCADE; DROP ROLE {other}")
    told = [line.strip() for line in ended.err.splitlines() if line.strip().startswith(f"table={table}: ")]
    words = "; ".join(said).format(other=other, owner=owned.owner)
    assert told == ([f"table={table}: {words}"] if said else []), ended.err
    assert ended.status == 1
