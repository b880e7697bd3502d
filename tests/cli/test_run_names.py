"""A name that is there in another case, or in another schema: the refusal says so."""

from __future__ import annotations

import pytest

from support.bench import Bench
from support.databases import Database

PARAMETERS = "  table: {description: Table, example: x}\n  column: {description: Column, example: x}\n"
CHECK = """```sql
SELECT CASE WHEN to_regclass(:'table') IS NULL THEN 'stop: there is no such table'
            WHEN NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(:'table')
                             AND attname = :'column') THEN 'stop: there is no such column'
            ELSE 'ok' END AS preflight;
```

```text
 preflight
-----------
 ok
(1 row)
```"""


def refusal(bench: Bench, database: Database, table: str, column: str, preflight: str = CHECK) -> str:
    bench.runbook(["SELECT :'table', :'column';"], parameters=PARAMETERS, preflight=preflight)
    settings = ["--set", f"table={table}", "--set", f"column={column}"]
    ended = bench.call("run", "sample", "--yes", "--dsn", database.dsn, *settings)
    assert ended.status == 1, ended.said
    return ended.err


@pytest.mark.parametrize(
    ("table", "column", "hint"),
    [
        ("Items", "Price", 'table=Items: there is the relation public."Items"'),
        ("orders", "id", "table=orders: there is the relation shop.orders"),
        ("other.orders", "id", "table=other.orders: there is the relation shop.orders"),
        ('"Trace"', "note", 'table="Trace": there is the relation public.trace'),
        ("trace", "Note", "column=Note: there is the column note"),
        ('"Items"', "price", "column=price: there is the column Price"),
    ],
)
def test_what_a_name_may_mean_is_said(
    bench: Bench, staging: Database, table: str, column: str, hint: str
) -> None:
    staging.execute(
        'CREATE TABLE "Items" (id int, "Price" int); CREATE SCHEMA shop; CREATE TABLE shop.orders (id int)'
    )
    said = refusal(bench, staging, table, column)
    assert said.startswith("error: refused: there is no such ")
    assert f"\n  {hint}\n" in said


def test_an_error_about_a_name_gets_the_hint_too(bench: Bench, staging: Database) -> None:
    staging.execute('CREATE TABLE "Items" (id int)')
    said = refusal(bench, staging, "Items", "id", "SELECT :'table'::regclass, :'column';")
    assert "42P01" in said
    assert 'there is the relation public."Items"' in said


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
