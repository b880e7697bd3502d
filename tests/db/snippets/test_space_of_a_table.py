"""How much of a table a copy would give back, held against the copy; and beside whom none is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.errors import SetupError
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.rehearser import run_cells
from pgrehearse.servers import Server, start
from pgrehearse.text.document import load
from support.majors import TEST_MAJOR

ROOT = Path(__file__).parents[3]
SNIPPET = (ROOT / "snippets" / "sql" / "space-of-a-table.sql").read_text("utf-8")
#: Tables nobody made for the estimate; each is filled with rows of number 1 to 20,000.
TABLES = {
    "padding": ("f boolean, id bigint, g boolean, at timestamptz", "true, n, false, now()"),
    "wide rows": ("id int, t text", "n, repeat(md5(n::text), 45)"),
    "values elsewhere": (
        "id int, t text",
        "n, (SELECT string_agg(md5((n * i)::text), '') FROM generate_series(1, 150) AS i)",
    ),
    "a quoted name": ('"a %s $$" text, "b\\" numeric', "md5(n::text), n / 3.0"),
    "a dropped column": ("id int, gone text, kept text", "n, 'gone', 'kept'"),
    "many NULLs": ("a int, b text, c date, d numeric", "n, NULL, NULL, NULL"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    # A worker's snapshot would keep rows that VACUUM is to remove here.
    with start(TEST_MAJOR, settings={"autovacuum": "off"}) as running:
        yield running


@pytest.fixture(scope="module")
def of_19() -> Iterator[Server]:
    try:
        running = start(19)
    except SetupError as error:
        pytest.skip(f"no PostgreSQL 19 here: {error}")
    with running:
        yield running


@pytest.fixture
def session(server: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        session.execute(SNIPPET.encode())
        yield session
        session.execute('DROP TABLE IF EXISTS "T;a"')


def space(
    session: psycopg.Connection, outage: str = ""
) -> tuple[str, int, int | None, int | None, bool | None]:
    row = session.execute("""SELECT * FROM pg_temp.space_of('"T;a"', %s)""", [outage]).fetchone()
    assert row is not None
    return row


def size(session: psycopg.Connection) -> int:
    row = session.execute(
        """SELECT pg_relation_size(oid) + coalesce(pg_relation_size(nullif(reltoastrelid, 0)), 0)
           FROM pg_class WHERE oid = '"T;a"'::regclass"""
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("columns, values", TABLES.values(), ids=TABLES)
def test_the_estimate_is_what_a_copy_needs(session: psycopg.Connection, columns: str, values: str) -> None:
    session.execute(f'CREATE TABLE "T;a" ({columns}) WITH (autovacuum_enabled = false)'.encode())
    session.execute(f'INSERT INTO "T;a" SELECT {values} FROM generate_series(1, 20000) AS n'.encode())
    if "gone" in columns:
        session.execute('ALTER TABLE "T;a" DROP COLUMN gone')
    full = space(session)
    session.execute("""DELETE FROM "T;a" WHERE (ctid::text::point)[1]::int % 2 = 0""")
    _, before, needed, free, empty_end = space(session)
    session.execute('VACUUM FULL "T;a"')
    after = size(session)
    assert needed is not None and 0.8 * after <= needed <= 1.2 * after + 8192, (needed, after)
    assert free is not None and abs(free - 100 * (before - after) / before) <= 15
    assert empty_end is False
    assert full[3] is not None and full[3] < (25 if "gone" not in columns else 45)


def test_an_empty_end_is_one_that_vacuum_cuts_off(session: psycopg.Connection) -> None:
    session.execute('CREATE TABLE "T;a" (n int) WITH (autovacuum_enabled = false)')
    session.execute('INSERT INTO "T;a" SELECT generate_series(1, 50000)')
    session.execute('VACUUM (TRUNCATE) "T;a"')  # pages that the file was extended by beforehand
    session.execute('DELETE FROM "T;a" WHERE n > 30000 AND n < 50000')
    assert space(session)[4] is False  # one row is enough to keep the rest
    session.execute('VACUUM (TRUNCATE) "T;a"')
    kept = size(session)
    session.execute('DELETE FROM "T;a" WHERE n = 50000')
    assert space(session)[4] is True
    session.execute('VACUUM (TRUNCATE) "T;a"')
    assert size(session) < kept * 0.7


def test_where_rows_are_hidden_nothing_is_said(session: psycopg.Connection) -> None:
    session.execute(
        'CREATE TABLE "T;a" AS SELECT n FROM generate_series(1, 9000) AS n; DELETE FROM "T;a" WHERE n < 8000'
    )
    session.execute('CREATE ROLE space_reader; GRANT SELECT ON "T;a" TO space_reader; SET ROLE space_reader')
    try:
        assert space(session)[2] is not None
        session.execute('RESET ROLE; ALTER TABLE "T;a" ENABLE ROW LEVEL SECURITY; SET ROLE space_reader')
        assert space(session)[2:] == (None, None, None)
    finally:
        session.execute("RESET ROLE; DROP OWNED BY space_reader; DROP ROLE space_reader")


def test_the_road_follows_the_table(session: psycopg.Connection) -> None:
    session.execute('CREATE TABLE "T;a" (id int)')
    assert (space(session)[0], space(session, "9s")[0]) == ("VACUUM (TRUNCATE)", "VACUUM (FULL)")


REFUSALS = {
    "no primary key": "CREATE TABLE t (id int NOT NULL UNIQUE)",
    "deferrable": "CREATE TABLE t (id int PRIMARY KEY DEFERRABLE)",
    "unlogged": "CREATE UNLOGGED TABLE t (id int PRIMARY KEY)",
    "FULL": "CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t REPLICA IDENTITY FULL",
    "NOTHING": "CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t REPLICA IDENTITY NOTHING",
    "is gone": "CREATE TABLE t (id int NOT NULL); CREATE UNIQUE INDEX i ON t (id);"
    " ALTER TABLE t REPLICA IDENTITY USING INDEX i; DROP INDEX i",
}


@pytest.mark.parametrize("said", REFUSALS)
def test_what_repack_refuses_is_said_before(of_19: Server, said: str) -> None:
    with psycopg.connect(of_19.dsn(), autocommit=True) as session:
        session.execute(SNIPPET.encode())
        session.execute(f"DROP TABLE IF EXISTS t; {REFUSALS[said]}".encode())
        row = session.execute("SELECT pg_temp.repack_refusal('t')").fetchone()
        assert row is not None and said in row[0]
        with pytest.raises(psycopg.Error):
            session.execute("REPACK (CONCURRENTLY) t")
        # the same rows with a key are taken, so it was that
        session.execute("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY)")
        assert session.execute("SELECT pg_temp.repack_refusal('t')").fetchone() == (None,)
        session.execute("REPACK (CONCURRENTLY) t")


def preflight(server: Server) -> str:
    """What the runbook's Preflight refuses for table t; empty when it goes through."""
    document = load(ROOT / "runbooks" / "table-shrink.md")
    values = {name: given.default or "" for name, given in document.front.parameters.items()}
    with Executor(
        server.dsn(),
        environment=server.env("postgres"),
        path=document.path,
        major=server.major,
        values={**values, "table": "t"},
        timeout=60,
    ) as executor:
        cells = [cell for cell in document.cells if cell.phase == "Preflight"]
        results = list(run_cells(executor, cells, cells))
    failure = next((result.failure for result in results if result.failure is not None), None)
    return "" if failure is None else f"{failure.message} {failure.detail}"


def test_a_report_that_would_find_the_table_empty_is_seen(of_19: Server) -> None:
    with (
        psycopg.connect(of_19.dsn(), autocommit=True) as admin,
        psycopg.connect(of_19.dsn()) as report,
        psycopg.connect(of_19.dsn()) as plain,
    ):
        admin.execute("DROP TABLE IF EXISTS t, other")
        admin.execute("CREATE TABLE t (id int PRIMARY KEY) WITH (autovacuum_enabled = false)")
        admin.execute("CREATE TABLE other (id int)")
        admin.execute("INSERT INTO t SELECT generate_series(1, 50000)")
        admin.execute("DELETE FROM t WHERE id % 4 > 0")
        plain.execute("SELECT count(*) FROM other")  # READ COMMITTED: no snapshot while it is idle
        assert preflight(of_19) == ""
        report.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        report.execute("SELECT count(*) FROM other")
        assert str(report.info.backend_pid) in preflight(of_19)
        admin.execute("REPACK (CONCURRENTLY) t")
        assert report.execute("SELECT count(*) FROM t").fetchone() == (0,)  # what it was refused for
        assert plain.execute("SELECT count(*) FROM t").fetchone() == (12500,)


def test_a_prepared_transaction_of_another_database_stops_it() -> None:
    try:
        running = start(19, settings={"max_prepared_transactions": "2"})
    except SetupError as error:
        pytest.skip(f"no PostgreSQL 19 here: {error}")
    with running, psycopg.connect(running.dsn(), autocommit=True) as admin:
        admin.execute("CREATE TABLE t (id int PRIMARY KEY) WITH (autovacuum_enabled = false)")
        admin.execute("INSERT INTO t SELECT generate_series(1, 50000)")
        admin.execute("DELETE FROM t WHERE id % 4 > 0")
        assert preflight(running) == ""
        with psycopg.connect(running.dsn("template1"), autocommit=True) as other:
            other.execute("BEGIN")
            other.execute("CREATE TABLE kept (id int)")
            other.execute("PREPARE TRANSACTION 'kept'")
            assert "prepared transactions" in preflight(running)
            other.execute("ROLLBACK PREPARED 'kept'")
