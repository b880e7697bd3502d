"""The executor against a real server: what a cell says, and what it does instead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.errors import SetupError
from pgrehearse.execution.blockers import Blockers
from pgrehearse.execution.cell_messages import messages
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.rehearser import run_cells
from pgrehearse.execution.results import CellResult
from pgrehearse.execution.session import Session
from pgrehearse.text.document import parse
from support.projects import fence
from support.waiting import wait_until

PATH = Path("page.md")
Run = Callable[..., list[CellResult]]


@pytest.fixture
def run(database: str) -> Iterator[Run]:
    """Run the cells of a Markdown text; statuses are those of the whole document."""

    def run(
        *texts: str,
        major: int = 18,
        timeout: float = 20,
        values: dict[str, str] | None = None,
        keep_going: bool = False,
    ) -> list[CellResult]:
        document = parse("\n".join(texts), PATH)
        executor = Executor(database, environment={}, path=PATH, major=major, timeout=timeout, values=values)
        with executor:
            return run_cells(executor, document.in_order(), document.cells, keep_going=keep_going)

    yield run
    with psycopg.connect(database) as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
        ).fetchone()
    assert left == (1,), "a statement is still under way"


def statuses(results: list[CellResult]) -> list[str]:
    return [result.status for result in results]


def failure(results: list[CellResult], position: int = -1) -> tuple[int, str]:
    found = results[position].failure
    assert found is not None, results[position]
    assert found.next_step or "the" in found.message
    return found.line, found.message


# --- output and statements ----------------------------------------------------------------------


def test_right_and_wrong_output(run: Run) -> None:
    right = fence("SELECT 1 AS a;", expected=" a\n---\n 1\n(1 row)")
    assert statuses(run(right)) == ["passed"]
    results = run(right.replace("\n 1\n", "\n 2\n"), right)
    assert statuses(results) == ["failed", "notrun"]
    assert failure(results, 0) == (4, "the output differs")
    assert results[0].failure is not None
    assert "- 2\n+ 1" in results[0].failure.detail


def test_several_statements_are_several_messages(run: Run, database: str) -> None:
    """As one string they would be one implicit transaction: 25001."""
    source = (
        "CREATE TABLE t (a int);\nSET lock_timeout = '1s';\nCREATE INDEX CONCURRENTLY ON t (a);\nVACUUM t;"
    )
    assert statuses(run(fence(source))) == ["passed"]
    results = run(
        fence("BEGIN;\nCREATE TABLE u (a int);\nCREATE INDEX CONCURRENTLY ON u (a);"), fence("SELECT 1;")
    )
    assert statuses(results) == ["failed", "notrun"]
    assert failure(results, 0) == (4, "it raised SQLSTATE 25001")


def test_a_cell_keeps_its_transaction_open(run: Run) -> None:
    results = run(
        fence("CREATE TABLE t (a int);\nBEGIN;\nINSERT INTO t VALUES (1);"),
        fence("SELECT count(*) FROM t;", 'session="other"', " count\n-------\n     0\n(1 row)"),
        fence("COMMIT;"),
        fence("SELECT count(*) FROM t;", 'session="other"', " count\n-------\n     1\n(1 row)"),
    )
    assert statuses(results) == ["passed"] * 4


def test_notices_are_output(run: Run) -> None:
    block = "DO $$ BEGIN RAISE NOTICE 'seen'; END $$;"
    assert statuses(run(fence(block, expected="NOTICE:  seen\nDO"))) == ["passed"]
    assert failure(run(fence(block, expected="DO"))) == (4, "the output differs")


def test_parameters_are_quoted(run: Run) -> None:
    hostile = "x'); DROP TABLE wishlist_items;--"
    table = f"... | length\n---+---\n {hostile} | 33\n(1 row)"
    results = run(
        fence("CREATE TABLE wishlist_items (a text);\nINSERT INTO wishlist_items VALUES (:'label');"),
        fence('SELECT a, length(a) FROM :"table";', expected=table),
        values={"label": hostile, "table": "wishlist_items"},
    )
    assert statuses(results) == ["passed", "passed"]
    with pytest.raises(SetupError, match="parameter 'label' has no value") as caught:
        run(fence("SELECT :'label';"))
    assert caught.value.location == "page.md:1"


def test_needs_and_until(run: Run) -> None:
    text = fence("SELECT nope;", 'needs="17"') + fence("SELECT nope;", 'until="15"') + fence("SELECT 1;")
    results = run(text, major=16)
    assert statuses(results) == ["skipped", "skipped", "passed"]
    assert [r.reason for r in results[:2]] == [
        "needs PostgreSQL 17 or later",
        "for PostgreSQL 15 and earlier",
    ]
    assert statuses(run(text, major=17)) == ["failed", "notrun", "notrun"]
    assert statuses(run(text, major=15)) == ["skipped", "failed", "notrun"]


# --- expected errors ----------------------------------------------------------------------------


def test_the_expected_error(run: Run) -> None:
    text = fence(
        "SELECT 1;\nSELECT 1/0;",
        'expect="22012"',
        " ?column?\n----------\n        1\n(1 row)\n\nERROR:  division by zero",
    )
    assert statuses(run(text, fence("SELECT 2;"))) == ["passed", "passed"]


@pytest.mark.parametrize(
    ("source", "options", "line", "message"),
    [
        ("SELECT 1;\nSELECT 1/0;", 'expect="55P03"', 3, "SQLSTATE 55P03 was expected, it raised 22012"),
        ("SELECT 1;\n\nSELECT\n nope;", "", 5, "it raised SQLSTATE 42703"),
        ("SELECT 1;", 'expect="22012"', 2, "nothing was raised; SQLSTATE 22012 was expected"),
        (
            "SELECT 1/0;\nSELECT 1;\nSELECT 2;",
            'expect="22012"',
            2,
            "the expected error came before the last statement; 2 never ran",
        ),
        ("DO $$\nBEGIN\n PERFORM 1/0;\nEND $$;", "", 2, "it raised SQLSTATE 22012"),
        ("SELEC 1;", "", 2, "it raised SQLSTATE 42601"),
    ],
)
def test_another_error(run: Run, source: str, options: str, line: int, message: str) -> None:
    results = run(fence(source, options), fence("SELECT 1;"))
    assert statuses(results) == ["failed", "notrun"]
    assert failure(results, 0) == (line, message)


def test_the_right_error_with_another_text(run: Run) -> None:
    results = run(fence("SELECT 1/0;", 'expect="22012"', "ERROR:  something else"))
    assert failure(results) == (4, "the output differs")


# --- waiting ------------------------------------------------------------------------------------

TABLE = fence("CREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\nBEGIN;\nLOCK TABLE t;")
WAITS = fence("SELECT a FROM t;", 'session="app" wait="main"', " a\n---\n 1\n(1 row)")


def test_a_wait_is_proven_and_ends_later(run: Run) -> None:
    results = run(TABLE, WAITS, fence("SELECT 1;"), fence("COMMIT;"), fence("SELECT 2;", 'session="app"'))
    assert statuses(results) == ["passed"] * 5
    assert results[1].seconds > results[3].seconds


def test_the_output_of_a_wait_is_compared_when_it_ends(run: Run) -> None:
    results = run(TABLE, WAITS.replace("\n 1\n", "\n 2\n"), fence("COMMIT;"), fence("SELECT 1;"))
    assert statuses(results) == ["passed", "failed", "passed", "notrun"]
    assert failure(results, 1) == (11, "the output differs")


def test_a_wait_that_does_not_wait(run: Run) -> None:
    results = run(
        fence("CREATE TABLE t (a int);\nBEGIN;\nLOCK TABLE t IN SHARE MODE;"), WAITS, fence("SELECT 1;")
    )
    assert statuses(results) == ["passed", "failed", "notrun"]
    assert failure(results, 1) == (8, "was to wait for session main, but completed without waiting")


def test_a_wait_for_another_session(run: Run) -> None:
    """It waits, but not for the one that is named: the report says for whom."""
    results = run(
        fence("SELECT 1;", 'session="other"'),
        TABLE,
        fence("SELECT a FROM t;", 'session="app" timeout="2s" wait="other"'),
    )
    assert failure(results) == (13, "the statement did not finish in time, it waits for session main")


def test_left_waiting_at_the_end(run: Run) -> None:
    results = run(TABLE, WAITS)
    assert statuses(results) == ["passed", "failed"]
    assert failure(results) == (9, "the document ends while this statement still waits for session main")


def test_a_session_with_a_waiting_statement_gets_more_work(run: Run) -> None:
    """The new cell can only begin when the waiting one is done."""
    results = run(
        TABLE,
        WAITS.replace('session="app"', 'session="app" timeout="2s"'),
        fence("SELECT 1;", 'session="app"'),
    )
    assert statuses(results) == ["passed", "failed", "notrun"]
    assert failure(results, 1) == (9, "the statement did not finish in time, it waits for session main")


def test_lock_timeout_while_waiting(run: Run) -> None:
    text = "SET lock_timeout = '100ms';\nSELECT a FROM t;"
    results = run(TABLE, fence(text, 'expect="55P03" session="app" wait="main"'), fence("COMMIT;"))
    assert statuses(results) == ["passed"] * 3
    results = run(
        fence("BEGIN;\nLOCK TABLE t;"),
        fence(text, 'session="app" wait="main"'),
        fence("SELECT pg_sleep(0.3);"),
        fence("COMMIT;"),
    )
    assert statuses(results) == ["passed", "failed", "passed", "notrun"]
    assert failure(results, 1) == (8, "it raised SQLSTATE 55P03")


@pytest.mark.parametrize(
    ("before", "text", "passes"),
    [
        pytest.param("SELECT 1;", "SELECT a FROM t;", True, id="nobody else holds a lock"),
        pytest.param("BEGIN;\nSELECT 1;", "SELECT a FROM t;", False, id="it may have waited for a snapshot"),
        pytest.param("BEGIN;\nLOCK TABLE u;", "SELECT a FROM t;", False, id="it may have waited for another"),
        pytest.param("SELECT 1;", "BEGIN;\nLOCK TABLE t NOWAIT;", False, id="it did not wait at all"),
    ],
)
def test_lock_timeout_before_anybody_looked(
    run: Run, monkeypatch: pytest.MonkeyPatch, before: str, text: str, passes: bool
) -> None:
    """On a busy machine a short lock_timeout comes before the first look, and proves the wait itself."""
    asked = Blockers.of

    def late(self: Blockers, session: Session) -> set[int]:
        while session.name == "app" and not session.pump(0.1):
            pass
        return asked(self, session)

    monkeypatch.setattr(Blockers, "of", late)
    results = run(
        fence("CREATE TABLE u ();\nCREATE TABLE t (a int);\nBEGIN;\nLOCK TABLE t;"),
        fence(before, 'session="third"'),
        fence(f"SET lock_timeout = '100ms';\n{text}", 'expect="55P03" session="app" wait="main"'),
    )
    assert statuses(results) == ["passed", "passed", "passed" if passes else "failed"]
    if not passes:
        assert failure(results)[1] == "was to wait for session main, but completed without waiting"


def test_a_deadlock(run: Run) -> None:
    """The one that waited first finds the deadlock; main's statement then goes on."""
    results = run(
        fence("CREATE TABLE a ();\nCREATE TABLE b ();\nBEGIN;\nLOCK TABLE a;"),
        fence(
            "SET deadlock_timeout = '200ms';\nBEGIN;\nLOCK TABLE b;\nLOCK TABLE a;",
            'expect="40P01" session="app" wait="main"',
        ),
        fence("SET deadlock_timeout = '20s';\nLOCK TABLE b;"),
        fence("COMMIT;"),
        fence("ROLLBACK;", 'session="app"'),
    )
    assert statuses(results) == ["passed"] * 5


def test_a_chain_of_waits_settles_before_the_next_cell(database: str) -> None:
    """main holds up b, and b holds up a, which is looked at first: when main commits, both end."""
    text = [
        fence("CREATE TABLE x ();\nCREATE TABLE y ();\nBEGIN;\nLOCK TABLE y;"),
        fence("BEGIN;\nLOCK TABLE x;", 'session="b"'),
        fence("SELECT FROM x;", 'session="a" wait="b"'),
        fence("LOCK TABLE y;\nSELECT pg_sleep(0.1);\nCOMMIT;", 'session="b" wait="main"'),
        fence("COMMIT;"),
        fence("SELECT 1;"),
    ]
    document = parse("\n".join(text), PATH)
    with Executor(database, environment={}, path=PATH, major=18) as executor:
        results = [executor.run(c) for c in document.cells]
    assert [[r.cell.index for r in part] for part in results] == [[1], [2], [], [], [5, 4, 3], [6]]
    assert all(r.failure is None for part in results for r in part)


def test_the_order_of_results_is_the_order_of_events(database: str) -> None:
    document = parse("\n".join([TABLE, WAITS, fence("COMMIT;"), fence("SELECT 1;")]), PATH)
    with Executor(database, environment={}, path=PATH, major=18) as executor:
        seen = [[r.cell.index for r in executor.run(c)] for c in document.cells]
        assert executor.finish() == []
    assert seen == [[1], [], [3, 2], [4]]


# --- time, and what ends a session ----------------------------------------------------------------


def test_a_statement_takes_too_long(run: Run) -> None:
    started = time.monotonic()
    results = run(fence("SELECT 1;\nSELECT pg_sleep(60);", 'timeout="2s"'), fence("SELECT 1;"))
    assert time.monotonic() - started < 60
    assert statuses(results) == ["failed", "notrun"]
    assert failure(results, 0) == (3, "the statement did not finish in time")


def test_a_statement_waits_unannounced(run: Run) -> None:
    results = run(TABLE, fence("TABLE t;", 'session="app" timeout="2s"'))
    assert failure(results) == (9, "the statement did not finish in time, it waits for session main")
    assert results[1].failure is not None
    assert 'wait="main"' in results[1].failure.next_step


def test_a_terminated_backend(run: Run) -> None:
    kill = (
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity\n"
        "WHERE application_name = 'pgrehearse app' AND datname = current_database();"
    )
    results = run(
        fence("BEGIN;", 'session="app"'),
        fence(kill),
        fence("SELECT 1;", 'session="app"'),
        fence("SELECT 2;"),
    )
    assert statuses(results) == ["passed", "passed", "failed", "notrun"]
    line, message = failure(results, 2)
    assert line == 11
    assert message in ("the connection was lost", "it raised SQLSTATE 57P01")


def test_close_cancels_what_is_under_way(database: str) -> None:
    document = parse(fence("SELECT pg_sleep(60);"), PATH)
    executor = Executor(database, environment={}, path=PATH, major=18)
    runner = threading.Thread(target=executor.session, args=("main",))
    runner.start()
    runner.join()
    executor.sessions["main"].start(messages(document.cells[0], {}, PATH))
    executor.sessions["main"].pump(0.01)
    executor.close()
    with psycopg.connect(database, autocommit=True) as connection:
        asleep = (
            "SELECT FROM pg_stat_activity"
            " WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database()"
        )
        wait_until(lambda: not connection.execute(asleep).fetchall(), "the statement ends")
    executor.close()


def test_a_session_that_cannot_connect_is_a_failed_cell() -> None:
    document = parse(fence("SELECT 1;", 'session="app"'), PATH)
    with Executor("host=127.0.0.1 port=1", environment={}, path=PATH, major=18) as executor:
        (result,) = executor.run(document.cells[0])
    line, message = failure([result])
    assert line == 2
    assert "session app cannot connect" in message


# --- \gexec ---------------------------------------------------------------------------------------


def test_gexec(run: Run) -> None:
    results = run(
        fence("SELECT 'x' WHERE false \\gexec", expected=""),
        fence("SELECT format('CREATE TABLE t%s (a int)', n), NULL FROM generate_series(1, 2) AS n\n"
             "\\gexec\nSELECT 'done' AS d;",
             expected="CREATE TABLE\nCREATE TABLE\n  d\n------\n done\n(1 row)"),
        fence("SELECT 'SELECT 1 AS a', 'SELECT nope', 'SELECT 2' \\gexec", 'expect="42703"'),
        fence("SELECT 1;"),
    )  # fmt: skip
    assert statuses(results)[:2] == ["passed", "passed"]
    assert statuses(results)[2:] == ["failed", "notrun"]
    assert failure(results, 2)[1] == "the expected error came before the last statement; 1 never ran"


def test_gexec_error_in_a_generated_statement(run: Run) -> None:
    results = run(fence("SELECT 1;\n\nSELECT 'SELECT nope' \\gexec\nSELECT 3;"))
    assert failure(results) == (4, "it raised SQLSTATE 42703")
    assert results[0].failure is not None
    assert results[0].failure.statement == "SELECT nope"
    assert statuses(run(fence("SELECT 'SELECT nope' \\gexec", 'expect="42703"'))) == ["passed"]


# --- after a failure ----------------------------------------------------------------------------

FAILS_TWICE = [
    fence("BEGIN;\nCREATE TABLE gone (n int);\nSELECT 1 / 0;"),
    fence("CREATE TABLE stays (n int);"),
    fence("SELECT * FROM gone;"),
    fence("SELECT count(*) FROM stays;"),
]


def test_a_document_ends_at_its_first_failure(run: Run) -> None:
    assert statuses(run(*FAILS_TWICE)) == ["failed", "notrun", "notrun", "notrun"]


def test_all_failures_in_one_run(run: Run) -> None:
    """A transaction that failed is rolled back, so that what follows fails by itself or not at all."""
    results = run(*FAILS_TWICE, keep_going=True)
    assert statuses(results) == ["failed", "passed", "failed", "passed"]
    assert "42P01" in failure(results, 2)[1]


def test_nothing_goes_on_without_the_server(run: Run) -> None:
    ended = fence("SELECT pg_terminate_backend(pg_backend_pid());")
    assert statuses(run(ended, fence("SELECT 1;"), keep_going=True)) == ["failed", "notrun"]
