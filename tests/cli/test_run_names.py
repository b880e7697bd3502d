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
