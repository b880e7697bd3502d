"""A section in one transaction is sent ahead of its answers, and nobody can tell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg.pq.abc import PGresult

from pgrehearse.errors import DocumentError, ExpectationError
from pgrehearse.migration.runner import batches
from pgrehearse.migration.runner.ledger_rows import Cost
from pgrehearse.migration.runner.pipeline import Pipeline
from pgrehearse.migration.runner.question import Question
from support.majors import OLD_STRINGS
from support.places import Place
from support.waiting import LIMIT, wait_until

TABLE = "CREATE TABLE thing (id int PRIMARY KEY, n int NOT NULL DEFAULT 0, body text);\n"
#: More than two batches.
MANY = 350


def rows(first: int, count: int) -> str:
    """One INSERT a line."""
    return "".join(f"INSERT INTO thing VALUES ({at}, {at});\n" for at in range(first, first + count))


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent ahead of an answer."""
    monkeypatch.setattr(batches, "_AHEAD", frozenset())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("INSERT INTO thing VALUES (0, 1), (0, 1);", "duplicate key"),
        ("INSERT INTO thing VALUES (-1, 'x');", "invalid input syntax"),
        ("SELEC 1;", "syntax error"),
        ("SELECT 1/0;", "division by zero"),
        ("DO $$ BEGIN COMMIT; END $$;", "invalid transaction termination"),
        ("SELECT pg_terminate_backend(pg_backend_pid());", "terminating connection"),
        pytest.param(
            "SET standard_conforming_strings = off;", "standard_conforming_strings is off", marks=OLD_STRINGS
        ),
        ("SELECT set_config('client_encoding', 'LATIN1', false);", "client_encoding is LATIN1"),
        (
            "DO $$ BEGIN PERFORM set_config('client_encoding', 'LATIN1', false); END $$;",
            "client_encoding is LATIN1",
        ),
        (
            "INSERT INTO thing VALUES (-1, 1, " + f"'{'x' * 70_000}', 2);",
            "more expressions than target columns",
        ),
    ],
)
@pytest.mark.parametrize("at", [0, 150, MANY])
def test_an_error_amid_many_statements_names_its_line(place: Place, wrong: str, said: str, at: int) -> None:
    path = place.write(1, TABLE + rows(1, MANY - at) + wrong + "\n" + rows(1000, at))
    error = place.refused(ExpectationError)
    assert said in error.message
    assert (error.path, error.line) == (path, 3 + 1 + MANY - at)
    assert place.one("SELECT to_regclass('thing')") is None
    [attempt] = place.attempts()
    if attempt.outcome == "failed":  # with its connection gone, the next run writes that down
        assert [cost.outcome for cost in attempt.statements][-1] == "failed"
        assert {cost.outcome for cost in attempt.statements[:-1]} == {"rolled back"}
        assert attempt.statements[-1].line == error.line
        assert len(attempt.statements) == 2 + MANY - at


@pytest.mark.parametrize(
    "words", ["COMMIT;", "ROLLBACK;", "COPY thing FROM stdin;", "COPY thing TO stdout;", "\\gexec"]
)
def test_what_ends_the_transaction_or_wants_rows_is_refused_before_anything_is_done(
    place: Place, words: str
) -> None:
    place.write(1, TABLE)
    path = place.write(2, rows(1, MANY) + words + "\n")
    error = place.refused(DocumentError)
    assert (error.path, error.line) == (path, 3 + MANY)
    assert place.applied() == [] and place.one("SELECT to_regclass('thing')") is None


def test_a_setting_amid_many_statements_holds_from_there_on(place: Place) -> None:
    place.write(
        1,
        TABLE + rows(1, MANY) + "SET search_path = other, public;\nCREATE SCHEMA other;\n"
        "CREATE TABLE other.thing (LIKE public.thing);\n" + rows(1, MANY) + "SET LOCAL work_mem = '77MB';\n"
        "INSERT INTO thing VALUES (0, 0, current_setting('work_mem'));\n",
    )
    place.up()
    assert place.one("SELECT count(*) FROM public.thing") == MANY
    assert place.one("SELECT string_agg(body, '') FROM other.thing") == "77MB"


@pytest.mark.parametrize(
    "how", ["DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$;", "DISCARD PLANS;", "DEALLOCATE ALL;"]
)
def test_a_migration_may_deallocate_all_that_is_prepared(place: Place, how: str) -> None:
    place.write(1, TABLE + rows(1, 150) + how + "\n" + rows(151, 150))
    try:
        place.up()
    except DocumentError as error:  # what the runner refuses in any file
        assert "gives up the lock" in error.message
        return
    assert place.one("SELECT count(*) FROM thing") == 300
    assert [cost.rows for cost in place.attempts()[-1].statements].count(1) == 300


def test_a_role_may_make_tables_in_a_schema_that_it_may_not_look_into(place: Place) -> None:
    role = f"{place.one('SELECT current_database()')}_maker"
    place.execute(f"CREATE ROLE {role}; CREATE SCHEMA dark; GRANT CREATE ON SCHEMA dark TO {role}")
    try:
        place.write(
            1,
            f"SET ROLE {role};\nCREATE TABLE dark.thing (n int);\nRESET ROLE;\n"
            "ALTER TABLE dark.thing ALTER n TYPE bigint;",
        )
        place.up()
        assert place.attempts()[-1].statements[-1].rewritten == ("dark.thing",)
    finally:
        place.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def facts(costs: tuple[Cost, ...]) -> list[Cost]:
    """What does not depend on the time it takes, nor on what other servers' work writes."""
    return [replace(one, milliseconds=None, lock_wait_ms=None, wal_bytes=None) for one in costs]


#: Statements that rewrite tables or do not, each with what must be said of it.
REWRITES: list[tuple[str, tuple[str, ...]]] = [
    ("CREATE TABLE part (id int, n int) PARTITION BY RANGE (id)", ()),
    ("CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (9)", ()),
    ("INSERT INTO part VALUES (1, 1)", ()),
    ("ALTER TABLE thing ADD COLUMN a int DEFAULT 7", ()),
    ("ALTER TABLE thing ADD PRIMARY KEY (id)", ()),
    ("ALTER TABLE thing ALTER COLUMN n TYPE bigint", ("thing",)),
    ("INSERT INTO thing (id, n) VALUES (5, 5)", ()),
    ("ALTER TABLE part ALTER COLUMN n TYPE bigint", ("part_1",)),
    ("ALTER TABLE IF EXISTS ONLY thing SET UNLOGGED", ("thing",)),
    ('CREATE SCHEMA "My own"', ()),
    ('CREATE TABLE "My own"."T x" (n int)', ()),
    ('ALTER TABLE "My own"."T x" ALTER n TYPE text', ('"My own"."T x"',)),
    ("CREATE MATERIALIZED VIEW seen AS SELECT * FROM thing", ()),
    ("REFRESH MATERIALIZED VIEW seen", ("seen",)),
    ("DROP MATERIALIZED VIEW seen", ()),
    ("CLUSTER thing USING thing_pkey", ("thing",)),
    ("TRUNCATE thing", ()),
    ("INSERT INTO thing (id, n) VALUES (6, 6)", ()),
    (
        "DO 'BEGIN ALTER TABLE thing ALTER n TYPE numeric; ALTER TABLE part ALTER n TYPE numeric; END'",
        ("part_1", "thing"),
    ),
    ("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'ALTER TABLE thing ALTER n TYPE text'", ()),
    ("SELECT f()", ("thing",)),
    ("SAVEPOINT a", ()),
    ("ALTER TABLE thing ALTER n TYPE int USING 1", ("thing",)),
    ("ROLLBACK TO a", ()),
    ("ALTER TABLE thing ADD COLUMN c int", ()),
    ("SELECT f() FROM thing WHERE false", ()),
    ("CREATE TABLE made AS SELECT 1 AS n", ()),
    ("SELECT 1 AS n INTO made_too", ()),
    ("ALTER TABLE made_too ALTER n TYPE text", ("made_too",)),
    ("CREATE TYPE pair AS (a int)", ()),
    ("CREATE TABLE pairs OF pair", ()),
    ("ALTER TYPE pair ALTER ATTRIBUTE a TYPE text CASCADE", ("pairs",)),
    ("CREATE TABLE u (n int)", ()),
    ("SET track_counts = off", ()),
    ("ALTER TABLE u ALTER n TYPE bigint", ("u",)),
    ("DO 'BEGIN ALTER TABLE u ALTER n TYPE text; END'", ("u",)),
    ("DROP TABLE u", ()),
]


def applied(place: Place) -> tuple[Cost, ...]:
    place.execute("CREATE TABLE thing (id int, n int)")
    place.write(1, "".join(f"{sql};\n" for sql, _ in REWRITES))
    [done] = place.up()
    assert done.outcome.rewritten == tuple(sorted({name for _, names in REWRITES for name in names}))
    return place.attempts()[-1].statements


def test_rewritten_tables_are_said_of_the_statement_that_did_it(place: Place) -> None:
    costs = applied(place)
    assert [(one.sql, one.rewritten) for one in costs] == REWRITES
    assert [one.rows for one in costs if one.sql.startswith("INSERT")] == [1, 1, 1]


@pytest.mark.usefixtures("one_by_one")
def test_they_are_said_of_the_same_one_by_one(place: Place) -> None:
    costs = applied(place)
    assert [(one.sql, one.rewritten) for one in costs] == REWRITES


def test_many_costs_are_those_of_one_by_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        TABLE
        + rows(1, MANY)
        + "UPDATE thing SET n = 1 WHERE id < 100;\nDELETE FROM thing WHERE id < 51;\nSELECT 1;\n"
    )
    place.write(1, text)
    place.up()
    ahead = place.attempts()[-1].statements
    place.execute("DROP TABLE thing; DROP SCHEMA pgrehearse CASCADE; DROP TABLE schema_migrations")
    monkeypatch.setattr(batches, "_AHEAD", frozenset())
    place.up()
    assert facts(ahead) == facts(place.attempts()[-1].statements)
    assert sum(one.rows or 0 for one in ahead) == MANY + 99 + 50
    assert all(one.wal_bytes and one.wal_bytes > 0 for one in ahead if one.rows)
    assert all(one.milliseconds is not None and 0 <= one.milliseconds < 60_000 for one in ahead)


def test_a_notice_has_its_line_when_answers_come_early(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers to two batches are there before the first is received, as on a busy machine."""
    receive = Pipeline.receive

    def late(pipeline: Pipeline) -> list[PGresult]:
        with suppress(AssertionError):

            def all_have_come() -> bool:
                pipeline._pgconn.consume_input()
                pipeline._hear()
                return pipeline.heard[0] == pipeline._under_way

            wait_until(all_have_come, "all answers", 5)
        return receive(pipeline)

    monkeypatch.setattr(Pipeline, "receive", late)
    place.write(1, TABLE + rows(1, 250) + "DROP TABLE IF EXISTS nothing;\n" + rows(1000, 100))
    place.up()
    said = '1_step.sql:254: NOTICE: table "nothing" does not exist, skipping'
    assert [line for line in place.told if "NOTICE" in line] == [said]


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_a_notice_has_the_line_of_its_statement(place: Place, side: str) -> None:
    speaks = "DO $$ BEGIN RAISE NOTICE 'here'; RAISE WARNING 'and here'; END $$;\n"
    count = 150 if not side else 5
    place.write(
        1, side + TABLE + rows(1, count) + speaks + rows(1000, count) + "DROP TABLE IF EXISTS nothing;\n"
    )
    place.up()
    first = 4 + count
    assert [line for line in place.told if "NOTICE" in line or "WARNING" in line] == [
        f"1_step.sql:{first}: NOTICE: here",
        f"1_step.sql:{first}: WARNING: and here",
        f'1_step.sql:{first + count + 1}: NOTICE: table "nothing" does not exist, skipping',
    ]


def test_a_wait_is_that_of_the_statement_that_waited(place: Place) -> None:
    place.execute(TABLE + rows(1, 2))
    place.write(
        1,
        "CREATE TABLE other ();\n"
        + "SELECT 1;\n" * 150
        + "UPDATE thing SET n = 3 WHERE id = 1;\n"
        + "SELECT 2;\n" * 150,
    )
    with place.session() as writer:
        writer.execute("UPDATE thing SET n = 2 WHERE id = 1")
        process = place.start("up", "--lock-timeout", "60s")
        wait_until(lambda: place.running("UPDATE thing SET n = 3", waits=True), "it waits")
        wait_until(
            lambda: place.one(
                "SELECT bool_or(query LIKE 'UPDATE thing SET n = 3%'"
                " AND clock_timestamp() - query_start > '2 s')"
                " AND bool_or(application_name = 'pgrehearse db watch' AND query LIKE '-- What the backend%')"
                " FROM pg_stat_activity WHERE datname = current_database()"
            ),
            "for a while, and that was seen",
        )
        writer.rollback()
    assert process.wait(LIMIT) == 0
    costs = place.attempts()[-1].statements
    waits = {one.number: one.lock_wait_ms for one in costs if one.lock_wait_ms}
    assert list(waits) == [152] and waits[152] > 100
    assert costs[151].milliseconds is not None and costs[151].milliseconds > 100


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("statement", ["LOCK TABLE held;", "INSERT INTO held SELECT '" + "x" * 70_000 + "';"])
def test_an_interrupt_amid_many_statements_leaves_nothing(place: Place, number: int, statement: str) -> None:
    place.execute("CREATE TABLE held (body text)")
    place.write(1, TABLE + rows(1, MANY) + statement + "\n" + rows(1000, MANY))
    with place.session() as other:
        other.execute("LOCK TABLE held")
        process = place.start("up", "--lock-timeout", "60s")
        wait_until(lambda: place.running(statement[:10], waits=True), "it waits")
        os.kill(process.pid, number)
        assert process.wait(LIMIT) == 130
    wait_until(lambda: place.backends() == 0, "the runner's backends are gone")
    [attempt] = place.attempts()
    assert (attempt.outcome, attempt.error) == ("interrupted", "by the operator")
    assert len(attempt.statements) == MANY + 2
    assert attempt.statements[-1].outcome == "failed" and attempt.statements[-1].line == 4 + MANY
    assert place.one("SELECT to_regclass('thing')") is None and place.applied() == []
    place.up()
    assert place.one("SELECT count(*) FROM thing") == 2 * MANY


def peak(command: list[str], folder: Path) -> float:
    """Megabytes of memory that ``command`` has at its peak."""
    code = (
        "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], capture_output=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss);"
        "sys.exit(done.returncode)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=folder, capture_output=True, text=True, check=True
    )
    return int(done.stdout) / 1024


@pytest.mark.parametrize("each", [1, 1000])
def test_memory_is_a_multiple_of_the_file(place: Place, each: int) -> None:
    command = [sys.executable, "-m", "pgrehearse", "db", "up", "--dsn", place.dsn]
    place.write(1, "CREATE TABLE thing (id int, body text);")
    least = peak(command, place.root)
    value = f"(1, '{'x' * 60}')"
    count = 8_000_000 // (len(value) * each + 30)
    text = f"INSERT INTO thing VALUES {', '.join([value] * each)};\n" * count
    place.write(2, text)
    more = peak(command, place.root) - least
    assert place.one("SELECT count(*) FROM thing") == count * each
    assert more < 6 * len(text) / 2**20 + 20


@pytest.mark.parametrize("read", [False, True], ids=["answers unread", "answers read"])
@pytest.mark.parametrize("after", [0, 1, 150])
def test_a_connection_that_is_gone_before_more_is_sent_names_the_line_too(
    place: Place, monkeypatch: pytest.MonkeyPatch, after: int, read: bool
) -> None:
    """Its last words are heard, although libpq forgets what it had asked once it meets the end."""
    send, sent = Pipeline.send, []

    def late(self: Pipeline, first: Question, statements: Sequence[tuple[bytes, Question]] = ()) -> None:
        if any(b"terminate" in text for text in sent):
            still = f"SELECT 1 FROM pg_stat_activity WHERE pid = {self._pgconn.backend_pid}"
            wait_until(lambda: not place.execute(still), "the session ends")
            if read:  # as a look for room in the buffers of a large batch does
                self._pgconn.consume_input()
            sent.append(b"")
        sent.extend(text for text, _ in statements)
        send(self, first, statements)

    monkeypatch.setattr(Pipeline, "send", late)
    wrong = "SELECT pg_terminate_backend(pg_backend_pid());\n"
    path = place.write(1, TABLE + rows(1, after) + wrong + rows(1000, MANY))
    error = place.refused(ExpectationError)
    assert b"" in sent
    assert "terminating connection" in error.message
    assert (error.path, error.line) == (path, 3 + 1 + after)
