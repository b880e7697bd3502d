"""An index made again out of its statements: the same in every respect, in its own schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.schema.contents import Contents, state_of
from pgrehearse.servers import Server, start
from support.majors import TEST_MAJOR

SNIPPET = (Path(__file__).parents[3] / "snippets" / "sql" / "index-again.sql").read_text("utf-8")
TABLES = """
CREATE SCHEMA a; CREATE SCHEMA "b %";
CREATE TABLE a.t (id int NOT NULL, "n %" text, at date); CREATE TABLE "b %".t (LIKE a.t);
CREATE INDEX other ON "b %".t (id) WHERE id > 7;
"""
INDEXES = {
    "of every option": """
        CREATE INDEX "i ' %" ON {0}.t USING btree
            ("n %" COLLATE "C" text_pattern_ops DESC NULLS LAST, lower("n %")) INCLUDE (id)
            WITH (fillfactor = 70) WHERE id > 5;
        ALTER INDEX {0}."i ' %" ALTER COLUMN 2 SET STATISTICS 500;
        COMMENT ON INDEX {0}."i ' %" IS 'it''s 100 % \\';""",
    "unique, of CLUSTER and of replicas": """
        CREATE UNIQUE INDEX "i ' %" ON {0}.t (id);
        ALTER TABLE {0}.t CLUSTER ON "i ' %", REPLICA IDENTITY USING INDEX "i ' %";""",
    "of some days": """CREATE INDEX "i ' %" ON {0}.t (id) WHERE at > '2026-02-01';""",
    "of another method": """CREATE INDEX "i ' %" ON {0}.t USING brin (id) WITH (pages_per_range = 4);""",
    "that counts NULLs as equal": """CREATE UNIQUE INDEX "i ' %" ON {0}.t ("n %") NULLS NOT DISTINCT;""",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with start(TEST_MAJOR) as running:
        yield running


def again(server: Server, home: str, made: str, *, with_after: bool = True) -> tuple[Contents, Contents]:
    """The database with the index, and after it was dropped and made again on another search path."""
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        session.execute('DROP SCHEMA IF EXISTS a, "b %" CASCADE')
        session.execute(TABLES.encode())
        session.execute(made.format(home).encode())
        before = state_of(server.dsn())
        session.execute(SNIPPET.encode())
        session.execute("""SET search_path = "b %", a; SET datestyle = 'SQL, DMY'""")
        row = session.execute(
            f"""SELECT pg_temp.index_again('{home}."i '' %"'::regclass, 'i '' %')""".encode()
        ).fetchone()
        assert row is not None
        session.execute(f"""DROP INDEX {home}."i ' %"; SET search_path = a; RESET datestyle""".encode())
        session.execute(row[0]["build"].encode())
        for statement in row[0]["after"] if with_after else []:
            session.execute(statement.encode())
    return before, state_of(server.dsn())


@pytest.mark.parametrize("home", ["a", '"b %"'])
@pytest.mark.parametrize("kind", INDEXES)
def test_it_is_the_same_index(server: Server, kind: str, home: str) -> None:
    before, after = again(server, home, INDEXES[kind])
    assert before.differences(after) == []


def test_what_hangs_on_it_is_seen(server: Server) -> None:
    """The negative control: the build alone is not the index."""
    before, after = again(server, "a", INDEXES["of every option"], with_after=False)
    assert before.differences(after)
