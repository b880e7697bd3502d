"""Preflight and Verify change nothing, whatever they try; what a check needs of its own is possible."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.execution.executor import Executor
from pgrehearse.text.document import Cell, parse
from support.databases import Database, name_of

SET_UP = """
CREATE TABLE kept (n int);
CREATE SEQUENCE counter;
CREATE TYPE mood AS ENUM ('fine');
CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'INSERT INTO kept VALUES (1) RETURNING n';
CREATE FUNCTION hidden() RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RETURN writes(); END$$;
CREATE FUNCTION makes() RETURNS int LANGUAGE plpgsql AS
    $$BEGIN CREATE FUNCTION made() RETURNS int RETURN 1; RETURN 1; END$$;
CREATE FUNCTION drops() RETURNS int LANGUAGE plpgsql AS $$BEGIN DROP TABLE kept; RETURN 1; END$$;
CREATE FUNCTION grows() RETURNS int LANGUAGE plpgsql AS
    $$BEGIN ALTER TYPE mood ADD VALUE 'better'; RETURN 1; END$$;
CREATE PROCEDURE commits() LANGUAGE plpgsql AS
    $$BEGIN COMMIT; SET TRANSACTION READ WRITE; INSERT INTO kept VALUES (1); END$$;
"""
STATE = """
SELECT (SELECT count(*) FROM kept), (SELECT is_called FROM counter), to_regproc('made') IS NULL,
       (SELECT count(*) FROM pg_enum WHERE enumtypid = 'mood'::regtype),
       (SELECT count(*) FROM pg_roles WHERE rolname = 'looked'),
       (SELECT count(*) FROM pg_largeobject_metadata)
"""
UNTOUCHED = [(0, False, True, 1, 0, 0)]

WRITES = {
    "plainly": "INSERT INTO kept VALUES (1);",
    "in a CTE": "WITH w AS (INSERT INTO kept VALUES (1) RETURNING n) SELECT n FROM w;",
    "in a function": "SELECT writes();",
    "in a stable function": "SELECT hidden();",
    "in a block": "DO $$BEGIN INSERT INTO kept VALUES (1); END$$;",
    "a sequence": "SELECT nextval('counter');",
    "a large object": "SELECT lo_create(0);",
    "in an analysis": "EXPLAIN ANALYZE INSERT INTO kept VALUES (1);",
    "prepared": "PREPARE w AS INSERT INTO kept VALUES (1); EXECUTE w;",
    "generated": "SELECT 'INSERT INTO kept VALUES (1)'\n\\gexec",
    "DDL": "ALTER TABLE kept ADD COLUMN m int;",
    "another default": "SET default_transaction_read_only = off; INSERT INTO kept VALUES (1);",
    "another default of the role": "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE;\n"
    "INSERT INTO kept VALUES (1);",
    "in a transaction": "BEGIN READ WRITE; INSERT INTO kept VALUES (1); COMMIT;",
    "after an end": "COMMIT; INSERT INTO kept VALUES (1);",
    "after a generated end": "VALUES ('COMMIT'), ('INSERT INTO kept VALUES (1)')\n\\gexec",
    "after a chained end": "VALUES ('COMMIT AND CHAIN'), ('SET TRANSACTION READ WRITE'),"
    " ('INSERT INTO kept VALUES (1)')\n\\gexec",
    "several in one": "SELECT 'COMMIT; INSERT INTO kept VALUES (1)'\n\\gexec",
    "several behind a comment": "SELECT '/* ; */ SELECT 1; COMMIT; INSERT INTO kept VALUES (1)'\n\\gexec",
    "READ WRITE again": "SET TRANSACTION READ WRITE; INSERT INTO kept VALUES (1);",
    "READ WRITE in a block": "DO $$BEGIN SET TRANSACTION READ WRITE; INSERT INTO kept VALUES (1); END$$;",
    "by set_config": "SELECT set_config('transaction_read_only', 'off', false), writes();",
    "committing in a block": "DO $$BEGIN COMMIT; SET TRANSACTION READ WRITE;"
    " INSERT INTO kept VALUES (1); END$$;",
    "a procedure that commits": "CALL commits();",
    "filling a temporary table": "CREATE TEMP TABLE t AS SELECT writes();",
    "from a default": "CREATE TEMP TABLE t (n int);\n"
    "ALTER TABLE pg_temp.t ADD COLUMN m int DEFAULT hidden();",
    "from an index": "CREATE TEMP TABLE t AS SELECT 1 AS n;\n"
    "CREATE FUNCTION pg_temp.f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
    " 'BEGIN RETURN public.hidden(); END';\nCREATE INDEX ON pg_temp.t (pg_temp.f(n));",
    "beside a temporary object": "DO $$BEGIN CREATE TEMP TABLE t (); PERFORM writes(); END$$;",
    "another object": "CREATE TEMP TABLE t AS SELECT makes();",
    "a lost object": "CREATE TEMP TABLE t AS SELECT drops();",
    "a longer type": "CREATE TEMP TABLE t AS SELECT grows();",
    "a role": "DO $$BEGIN CREATE TEMP TABLE t (); CREATE ROLE looked; END$$;",
    "by inheritance": "CREATE TEMP TABLE t () INHERITS (kept);",
    "a row lock": "SELECT n FROM kept FOR UPDATE;",
    "two dropped": "CREATE TEMP TABLE t (); DROP TABLE pg_temp.t, public.kept;",
}


@pytest.fixture
def looked(database: str) -> Database:
    made = Database(database)
    made.execute(SET_UP)
    return made


@pytest.fixture
def executor(looked: Database) -> Iterator[Executor]:
    with Executor(looked.dsn, environment={}, path=Path("sample.md"), major=18) as made:
        yield made


def cells(*sources: str, phase: str = "Preflight") -> list[Cell]:
    fences = "\n\n".join(s if s.startswith("```") else f"```sql\n{s}\n```" for s in sources)
    return list(parse(f"# Sample\n\n## {phase}\n\n{fences}\n\n## Apply\n", Path("sample.md")).cells)


@pytest.mark.parametrize("how", WRITES)
@pytest.mark.parametrize("phase", ["Preflight", "Verify"])
def test_nothing_is_changed(executor: Executor, looked: Database, how: str, phase: str) -> None:
    (cell,) = cells(WRITES[how], phase=phase)
    (result,) = executor.run(cell)
    assert result.status == "failed", result.output
    assert looked.execute(STATE) == UNTOUCHED
    assert not executor.session("main").in_transaction
    (after,) = executor.run(cells("SELECT 1;")[0])
    assert after.status == "passed", after.failure


def test_a_writing_check_is_told_where_to_go(executor: Executor) -> None:
    (result,) = executor.run(cells("SELECT 1;\nINSERT INTO kept VALUES (1);")[0])
    assert result.failure is not None
    assert (result.failure.sqlstate, result.failure.line) == ("25006", 7)
    assert "Preflight and Verify only look" in result.failure.next_step


def test_a_temporary_function_may_be_long(executor: Executor) -> None:
    """Its text lies beside the catalog then, in a TOAST table of the server's own."""
    text = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(200))
    (result,) = executor.run(
        cells(f"CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql AS $$SELECT '{text}'$$;")[0]
    )
    assert result.status == "passed", result.failure


def test_the_same_in_apply_changes_something(executor: Executor, looked: Database) -> None:
    """The negative control."""
    for source in (
        "INSERT INTO kept VALUES (1);",
        "SELECT writes();",
        "CREATE TEMP TABLE t AS SELECT writes();",
    ):
        (result,) = executor.run(cells(source, phase="Apply")[0])
        assert result.status == "passed", result.failure
    assert looked.one("SELECT count(*) FROM kept") == 3


@pytest.mark.parametrize(
    "sources",
    [
        ["CREATE TEMP TABLE t (n int);", "INSERT INTO t VALUES (1); UPDATE t SET n = 2; DELETE FROM t;"],
        ["CREATE TEMP TABLE t AS SELECT n FROM kept;", "DROP TABLE IF EXISTS pg_temp.t;"],
        ["SELECT 1 AS n INTO TEMP t;", "CREATE UNIQUE INDEX ON pg_temp.t (n);", "DROP TABLE pg_temp.t;"],
        [
            "CREATE FUNCTION pg_temp.f() RETURNS int RETURN 1;",
            "SELECT pg_temp.f();",
            "DROP FUNCTION pg_temp.f();",
        ],
        ["SELECT 'CREATE TEMP TABLE t (LIKE kept)', 'ALTER TABLE pg_temp.t ADD CHECK (n > 0)'\n\\gexec"],
        ["DO $$BEGIN CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1; END$$;"],
        ["PREPARE p AS INSERT INTO kept VALUES (1);", "DEALLOCATE p;"],
        ["SET work_mem = '5MB';", "SELECT 1 / (current_setting('work_mem') = '5MB')::int;"],
        ["SELECT pg_advisory_lock(1);", "SELECT 1 / pg_advisory_unlock(1)::int;"],
        ['```sql expect="22012"\nSELECT 1 / 0;\n```', "SELECT 1;"],
        ["SAVEPOINT a;", "EXPLAIN SELECT n FROM kept;", "SHOW work_mem;"],
    ],
    ids=lambda sources: sources[0][:40],
)
def test_what_a_check_may_do(executor: Executor, looked: Database, sources: list[str]) -> None:
    for cell in cells(*sources):
        (result,) = executor.run(cell)
        assert result.status == "passed", result.failure
    assert looked.execute(STATE) == UNTOUCHED


def test_a_transaction_of_another_phase_is_not_ended(executor: Executor, looked: Database) -> None:
    executor.run(cells("BEGIN; INSERT INTO kept VALUES (1);", phase="Apply")[0])
    (result,) = executor.run(cells("SELECT 1;", phase="Verify")[0])
    assert result.failure is not None
    assert "a transaction of another phase is open" in result.failure.detail
    assert executor.session("main").in_transaction
    assert looked.one("SELECT count(*) FROM kept") == 0


def test_python_connects_read_only(looked: Database) -> None:
    write = "import psycopg\nwith psycopg.connect() as c:\n    c.execute('INSERT INTO kept VALUES (1)')"
    source = f"```python\n{write}\n```"
    environment = {"PGDATABASE": name_of(looked.dsn), "PGHOST": _host(looked), "PGUSER": "postgres"}
    with Executor(looked.dsn, environment=environment, path=Path("sample.md"), major=18) as executor:
        (refused,) = executor.run(cells(source)[0])
        assert refused.failure is not None
        assert "ReadOnlySqlTransaction" in refused.failure.message
        (done,) = executor.run(cells(source, phase="Apply")[0])
        assert done.status == "passed", done.failure
        (again,) = executor.run(cells(source, phase="Verify")[0])
        assert again.status == "failed"
    assert looked.one("SELECT count(*) FROM kept") == 1


def _host(database: Database) -> str:
    return str(database.one("SHOW unix_socket_directories"))
