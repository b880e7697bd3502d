"""An enum that hundreds of tables hold: its runbooks read the catalog once, not once for each type.

They asked for each type in turn: over a minute on 40 tables, and the snapshot held VACUUM back meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.servers import Server
from pgrehearse.text.variables import substitute
from support import databases

SNIPPETS = Path(__file__).parents[3] / "snippets" / "sql"
VALUES = {"type": "mood", "way_back": "needed", "subscribers": "none"}
#: Seconds: a hundred times of what it takes.
PATIENCE = 20


@pytest.fixture(scope="module")
def held(server: Server) -> Iterator[psycopg.Connection]:
    """A session where 300 tables, arrays, a domain, a range and a composite type hold the enum."""
    with databases.fresh(server) as dsn, psycopg.connect(dsn, autocommit=True) as session:
        session.execute(
            "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN felt AS mood;"
            "CREATE TYPE pair AS (a felt[], b int);"
            "CREATE TYPE span AS RANGE (subtype = mood); CREATE TABLE last (spans span[], pairs pair[]);"
            "DO $$ BEGIN FOR n IN 1..300 LOOP"
            "  EXECUTE format('CREATE TABLE t%s (id int, m mood, f felt[])', n); END LOOP; END $$"
        )
        session.execute(f"SET statement_timeout = '{PATIENCE}s'".encode())
        yield session


@pytest.mark.parametrize("name", ["enum-rows-hidden", "enum-who-replicates"])
def test_the_question_is_answered_at_once(held: psycopg.Connection, name: str) -> None:
    text = (SNIPPETS / f"{name}.sql").read_text("utf-8")
    assert held.execute(substitute(text, VALUES).encode()).fetchone() == ("ok",)


def test_a_value_is_found_in_the_last_of_them(held: psycopg.Connection) -> None:
    held.execute((SNIPPETS / "enum-value-used.sql").read_bytes())
    asked = "SELECT pg_temp.enum_value_used('mood', 'glad')"
    assert held.execute(asked).fetchone() == ("ok",)
    held.execute("INSERT INTO last (pairs) VALUES (ARRAY[ROW(ARRAY['glad']::felt[], 1)::pair])")
    assert held.execute(asked).fetchone() == ("stop: rows of last have it; move them first",)


def test_a_table_that_holds_it_in_a_range_of_arrays_is_published(held: psycopg.Connection) -> None:
    held.execute("CREATE PUBLICATION told FOR TABLE last (spans)")
    text = (SNIPPETS / "enum-who-replicates.sql").read_text("utf-8")
    row = held.execute(substitute(text, VALUES).encode()).fetchone()
    assert row is not None
    assert row[0].startswith("stop: published by told;")
