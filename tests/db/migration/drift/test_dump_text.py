"""The fast splitter of dumps agrees with the scanner for what people write."""

from __future__ import annotations

import re

import psycopg

from pgrehearse.schema import read
from pgrehearse.schema.dump import dump
from pgrehearse.schema.dump_text import split
from pgrehearse.text import split as scanner
from support.shop import Shop


def test_same_statements_as_the_scanner(shop: Shop) -> None:
    with shop.clone() as name:
        text = dump(shop.server.dsn(name), create=True, ledger=False).text
    ours = [raw.sql for raw in split(text)]
    theirs = [one.sql for one in scanner.split(re.sub(r"(?m)^\\(un)?(restrict|connect).*$", "", text))]
    assert ours == theirs
    assert len(ours) > 150


def test_header_in_a_body_is_not_taken_for_one(shop: Shop) -> None:
    """shop.sql holds a function whose body looks like pg_dump's own comment."""
    body = [item for item in shop.schema.items if "not a header" in item.sql]
    assert [item.object for item in body] == ["function app.touch()"]
    assert not [item for item in shop.schema.items if "nobody" in item.object]


def test_awkward_names(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            """CREATE TABLE "a;b, ""c"" (d" ("x y" int DEFAULT 1, "CONSTRAINT" text DEFAULT '--;', e$1$ int);
               CREATE INDEX "i.j" ON "a;b, ""c"" (d" ("x y");
               COMMENT ON COLUMN "a;b, ""c"" (d"."x y" IS 'it''s; -- Name: x; Type: TABLE'"""
        )
    table = 'table public."a;b, ""c"" (d"'
    found = {item.subject for item in read(database).items if item.object == table}
    assert found == {
        "table",
        "owner",
        'column "x y"',
        'column "CONSTRAINT"',
        'column "e$1$"',
        'index "i.j"',
        'comment on column "x y"',
    }
