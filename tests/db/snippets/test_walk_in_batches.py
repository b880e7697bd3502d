"""The walk that all runbooks share: no key, partitions, where it goes on, and what makes it wait."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from support.faults.cluster import Replicated
from support.waiting import LIMIT, wait_until

SNIPPETS = Path(__file__).parents[3] / "snippets" / "sql"
FUNCTIONS = [(SNIPPETS / f"{name}.sql").read_text() for name in ("receipt", "walk-in-batches")]
CALL = """
CALL pg_temp.walk_in_batches(%s, 'a walk', 'UPDATE ONLY ',
    ' SET b = a WHERE ctid >= $1 AND ctid < $2 AND b IS NULL', %s, %s, %s)
"""
TO_DO = "SELECT count(*) FROM t WHERE b IS NULL AND a IS NOT NULL"
RECORDED = "SELECT count(*) FROM pg_description WHERE description LIKE 'pgrehearse receipt%a walk walk%'"


@pytest.fixture(scope="module")
def pair() -> Iterator[Replicated]:
    """A primary with a standby that no commit waits for."""
    with Replicated() as made:
        made.execute("ALTER SYSTEM RESET synchronous_standby_names")
        made.execute("SELECT pg_reload_conf()")
        yield made


@pytest.fixture(autouse=True)
def tables(pair: Replicated) -> Iterator[None]:
    yield
    pair.execute("DROP TABLE IF EXISTS t CASCADE")


class Walk:
    """A session with the walk, its notices, and its error; it may go on beside the test."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self.session, self.notices, self.error = session, [""], ""
        self.session.add_notice_handler(lambda said: self.notices.append(said.message_primary or ""))

    @property
    def said(self) -> str:
        return "\n".join(self.notices)

    def __call__(self, table: str = "t", time: float = 0.1, pause: float = 0, lag: float = 0) -> str:
        try:
            self.session.execute(CALL, [table, time, pause, lag])
        except psycopg.Error as error:
            self.error = f"{error.sqlstate} {error}"
        return self.said


@contextmanager
def walk(pair: Replicated) -> Iterator[Walk]:
    with psycopg.connect(pair.dsn(), autocommit=True) as session:
        for text in FUNCTIONS:
            session.execute(text.encode())
        yield Walk(session)


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(LIMIT)
        assert not thread.is_alive()


ROWS = "INSERT INTO t SELECT n FROM generate_series(1, 5000) AS n"
TABLES = {
    "no key": ("CREATE TABLE t (a int, b int)", ROWS),
    "an empty one": ("CREATE TABLE t (a int, b int)",),
    "several columns": (
        "CREATE TABLE t (a int, b int, c uuid DEFAULT gen_random_uuid(), PRIMARY KEY (c, a))",
        ROWS,
    ),
    "partitions of partitions": (
        "CREATE TABLE t (a int, b int) PARTITION BY RANGE (a)",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (1000)",
        "CREATE TABLE t2 PARTITION OF t DEFAULT PARTITION BY HASH (a)",
        "CREATE TABLE t20 PARTITION OF t2 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "CREATE TABLE t21 PARTITION OF t2 FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        ROWS,
    ),
    "children": (
        "CREATE TABLE t (a int, b int)",
        "CREATE TABLE child (c text) INHERITS (t)",
        "INSERT INTO child SELECT n FROM generate_series(1, 3000) AS n",
        ROWS,
    ),
}


@pytest.mark.parametrize("made", TABLES.values(), ids=TABLES)
def test_every_row_of_every_table_is_reached(pair: Replicated, made: tuple[str, ...]) -> None:
    for sql in made:
        pair.execute(sql)
    ((rows,),) = pair.execute(TO_DO)
    with walk(pair) as walks:
        assert f"done: {rows} rows changed" in walks()
        assert "done: 0 rows changed" in walks()
    assert pair.execute(TO_DO) == [(0,)]


def test_rows_that_do_not_change_do_not_make_it_endless(pair: Replicated) -> None:
    pair.execute("CREATE TABLE t (a int, b int)")
    pair.execute("INSERT INTO t SELECT nullif(n % 2, 0) FROM generate_series(1, 100) AS n")
    with walk(pair) as walks:
        assert "done: 200 rows changed" in walks()  # 100, then twice the 50 that stay NULL


def test_a_canceled_walk_goes_on_where_it_was(pair: Replicated) -> None:
    pair.execute("CREATE TABLE t (a int, b int, c text DEFAULT repeat('x', 700))")
    pair.execute("INSERT INTO t (a) SELECT n FROM generate_series(1, 20000) AS n")
    with walk(pair) as walks:
        with beside(lambda: walks(time=0.001, pause=0.05)):
            wait_until(
                lambda: walks.error != "" or pair.execute(RECORDED) == [(1,)],
                "the walk has recorded where it is",
                limit=LIMIT,
            )
            walks.session.cancel_safe()
        assert walks.error.startswith("57014"), walks.error
        ((left,),) = pair.execute(TO_DO)
        assert 0 < left < 20000
    with walk(pair) as again:
        went_on = re.search(r"goes on at page (\d+) of t", again())
        assert went_on and int(went_on[1]) > 0, again.said
    assert pair.execute(TO_DO) == [(0,)]
    assert pair.execute(RECORDED) == [(0,)]


@pytest.mark.parametrize("file", ["pg_relation_filenode('t')", "1"], ids=["too far", "another file"])
def test_what_is_recorded_is_no_reason_to_leave_rows_out(pair: Replicated, file: str) -> None:
    pair.execute("CREATE TABLE t (a int, b int)")
    pair.execute(ROWS)
    with walk(pair) as walks:
        work = "md5('UPDATE ONLY | SET b = a WHERE ctid >= $1 AND ctid < $2 AND b IS NULL')"
        keep = f"""SELECT pg_temp.keep_receipt('pg_class', 't'::regclass, 'a walk walk', jsonb_build_object(
            'work', {work}, 'member', 't'::regclass::oid, 'file', {file}, 'page', 999))"""
        walks.session.execute(keep.encode())
        assert "goes on at page" in walks()
    assert pair.execute(TO_DO) == [(0,)]


def test_it_waits_while_somebody_waits_for_the_table(pair: Replicated) -> None:
    pair.execute("CREATE TABLE t (a int, b int)")
    pair.execute(ROWS)
    with walk(pair) as walks, psycopg.connect(pair.dsn()) as reader, psycopg.connect(pair.dsn()) as alters:
        walks.session.execute("SET lock_timeout = '100ms'")
        reader.execute("SELECT FROM t LIMIT 1")
        pid = alters.info.backend_pid
        waiting = f"SELECT count(*) FROM pg_locks WHERE pid = {pid} AND NOT granted"
        with beside(lambda: alters.execute("ALTER TABLE t ADD c int")) as altering:
            try:
                wait_until(lambda: pair.execute(waiting) == [(1,)], "the ALTER waits")
                with beside(walks):
                    try:
                        wait_until(lambda: f"process {pid} waits for a lock on t" in walks.said, "it says so")
                        assert "done" not in walks.said
                    finally:
                        reader.rollback()
                        altering.join(LIMIT)
                        alters.commit()
            finally:
                reader.rollback()
        assert walks.error == ""
        assert "the walk goes on after" in walks.said
    assert pair.execute(TO_DO) == [(0,)]


def test_a_batch_that_gets_no_lock_is_tried_again(pair: Replicated) -> None:
    pair.execute("CREATE TABLE t (a int, b int)")
    pair.execute(ROWS)
    with walk(pair) as walks, psycopg.connect(pair.dsn()) as writer:
        walks.session.execute("SET lock_timeout = '5s'")
        writer.execute("SELECT FROM t WHERE a = 5 FOR UPDATE")
        pid = walks.session.info.backend_pid
        blocked = f"SELECT pg_blocking_pids({pid}) <> '{{}}'"
        with beside(walks):
            wait_until(lambda: pair.execute(blocked) == [(True,)], "the batch waits")
            wait_until(lambda: pair.execute(blocked) == [(False,)], "it gave up")
            writer.rollback()
        assert walks.error == ""
        assert "done: 5000 rows" in walks.said


def test_a_row_that_stays_locked_ends_it(pair: Replicated) -> None:
    pair.execute("CREATE TABLE t (a int, b int)")
    pair.execute(ROWS)
    with walk(pair) as walks, psycopg.connect(pair.dsn()) as writer:
        walks.session.execute("SET lock_timeout = '5ms'")
        writer.execute("SELECT FROM t WHERE a = 5 FOR UPDATE")
        walks()
        assert walks.error.startswith("55P03")


def test_a_writer_of_several_rows_goes_on_where_it_meets_a_batch_crosswise(pair: Replicated) -> None:
    """The writer waits first, so it would be the one that the server ends."""
    pair.execute("CREATE TABLE t (a int, b int)")
    pair.execute(ROWS)
    pair.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END'"
    )
    pair.execute(
        "CREATE TRIGGER slow BEFORE UPDATE OF b ON t FOR EACH ROW WHEN (NEW.a = 2) EXECUTE FUNCTION slow()"
    )
    with walk(pair) as walks, psycopg.connect(pair.dsn()) as writer:
        for session in (walks.session, writer):
            session.execute("SET deadlock_timeout = '6s'")
        writer.commit()
        walks.session.execute("SET lock_timeout = '30s'")
        writer.execute("UPDATE t SET a = a WHERE a = 100")
        pid = walks.session.info.backend_pid
        with beside(walks):
            asleep = f"SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = {pid}"
            wait_until(lambda: pair.execute(asleep) == [(True,)], "the batch has the first row")
            writer.execute("UPDATE t SET a = a WHERE a = 1")  # would raise 40P01
            writer.commit()
        assert walks.error == ""
        assert "done: 5000 rows" in walks.said
    pair.execute("DROP FUNCTION slow CASCADE")


@pytest.mark.parametrize(("waits", "patience"), [("0", "333ms"), ("2s", "333ms"), ("100ms", "100ms")])
def test_a_batch_waits_less_than_a_search_for_deadlocks_begins_after(
    pair: Replicated, waits: str, patience: str
) -> None:
    pair.execute("CREATE TABLE t (a int, b int)")
    pair.execute(ROWS)
    pair.execute("CREATE TABLE seen (patience text)")
    pair.execute(
        "CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN INSERT INTO seen VALUES (current_setting('lock_timeout')); RETURN NEW; END$$"
    )
    pair.execute(
        "CREATE TRIGGER seen BEFORE UPDATE OF b ON t FOR EACH ROW WHEN (NEW.a = 5000) EXECUTE FUNCTION seen()"
    )
    with walk(pair) as walks:
        walks.session.execute(f"SET lock_timeout = '{waits}'")
        walks()
        assert walks.session.execute("SHOW lock_timeout").fetchall() == [(waits,)]
    assert pair.execute("SELECT * FROM seen") == [(patience,)]
    pair.execute("DROP TABLE seen; DROP FUNCTION seen CASCADE")


def test_it_waits_for_a_standby(pair: Replicated) -> None:
    pair.execute("CREATE TABLE t (a int, b int)")
    pair.execute(ROWS)
    pair.standby.execute("SELECT pg_wal_replay_pause()")
    with walk(pair) as walks:
        assert "done: 5000 rows" in walks(lag=0)  # as far behind as it likes
        pair.execute("UPDATE t SET b = NULL")
        try:
            with beside(lambda: walks(lag=0.2, pause=0.1)):
                wait_until(lambda: "is behind" in walks.said, "the walk says so")
                assert pair.execute(TO_DO) != [(0,)]
                pair.standby.execute("SELECT pg_wal_replay_resume()")
        finally:
            pair.standby.execute("SELECT pg_wal_replay_resume()")
        assert walks.error == ""
        assert "the walk goes on after" in walks.said
    assert pair.execute(TO_DO) == [(0,)]
