"""What a client may rely on behind a pooler: each feature tried by two clients that share server connections.

`tried` runs all of them before one server, in one mode. In session mode a client keeps its server connection
until it leaves, so the other one comes after it; in the other modes both are connected to a pool of one.
Outcomes are words that do not change from run to run, so that they can be committed and compared.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any, LiteralString, cast

import psycopg
from psycopg.conninfo import make_conninfo

from pgrehearse.servers import Server
from support import ROOT
from support.databases import execute, fresh, name_of
from support.poolers import bouncer_before
from support.waiting import wait_until

__all__ = ["FEATURES", "MATRIX", "MODES", "entered", "tried"]

#: What `tools/pooler_matrix.py` wrote: feature, mode, outcome, pooler, majors.
MATRIX = ROOT / "evidence" / "poolers.json"

MODES = ("session", "transaction", "statement")
WORKS, LEAKS, LOST = "works", "leaks to others", "lost"


@dataclass
class Pool:
    """A pooler before a database of its own. ``server``: past the pooler."""

    dsn: str
    server: str
    mode: str
    clients: ExitStack

    def client(self, **options: Any) -> psycopg.Connection[Any]:
        """A new client; it leaves with the probe."""
        made = psycopg.connect(make_conninfo(self.dsn, **options), autocommit=True, prepare_threshold=99)
        self.clients.callback(made.close)
        return made

    def other(self, first: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
        """A client that gets the server connection which ``first`` had."""
        if self.mode == "session":
            first.close()
        return self.client()

    def console(self, command: str) -> None:
        """A command to PgBouncer itself."""
        with psycopg.connect(make_conninfo(self.dsn, dbname="pgbouncer"), autocommit=True) as console:
            console.pgconn.exec_(command.encode())  # it speaks only the simple protocol


Probe = Callable[[Pool], str]


def tried(name: str, mode: str, server: Server, features: Iterable[str] = ()) -> dict[str, str]:
    """What each of ``features``, or all, does with the PgBouncer ``name`` in ``mode`` before ``server``."""
    wanted = [each for each in FEATURES if not features or each in features]
    size, found = (2 if mode == "session" else 1), {}
    for key, group in groupby(sorted(wanted, key=_settings), _settings):
        with bouncer_before(server.dsn(), mode, name, default_pool_size=size, **dict(key)) as console:
            for feature in group:
                with fresh(server) as dsn, ExitStack() as clients:
                    pool = Pool(make_conninfo(console, dbname=name_of(dsn)), dsn, mode, clients)
                    try:
                        found[feature] = FEATURES[feature][0](pool)
                    except psycopg.Error as error:
                        found[feature] = refusal(error)
    return {feature: found[feature] for feature in wanted}


def entered(outcomes: dict[str, dict[str, list[int]]], outcome: str, name: str, major: int) -> None:
    """Write into the matrix that a feature came to ``outcome`` with a pooler and a server."""
    outcomes.setdefault(outcome, {}).setdefault(name, []).append(major)


def _settings(feature: str) -> tuple[tuple[str, object], ...]:
    return tuple(FEATURES[feature][1].items())


def refusal(error: psycopg.Error) -> str:
    """An error in the words that do not change: its SQLSTATE, or what was said while connecting."""
    text = str(error).strip().splitlines()[-1]
    _, mark, said = text.partition("FATAL:  ")
    reason = (said if mark else text).split(": ")[0]
    state = f"{error.sqlstate}: " if error.sqlstate else ""
    return f"refused, {state}{reason}"


def one(client: psycopg.Connection[Any], query: str, **options: Any) -> Any:
    row = client.execute(cast(LiteralString, query), **options).fetchone()
    return None if row is None else row[0]


def state(put: str, get: str, mine: object, **options: Any) -> Probe:
    """A probe of what a session holds: does its client keep it, do others get it?"""

    def probe(pool: Pool) -> str:
        first = pool.client(**options)
        if put:
            first.execute(cast(LiteralString, put))
        kept = one(first, get) == mine
        other = pool.other(first)
        if one(other, get) == mine:
            return LEAKS
        if pool.mode != "session":
            kept = one(first, get) == mine
        return WORKS if kept else LOST

    return probe


def followed(how: str) -> Probe:
    """search_path of two clients at once, by ``SET`` or when connecting."""

    def probe(pool: Pool) -> str:
        clients = []
        for schema in ("one", "two"):
            execute(pool.server, f"CREATE SCHEMA IF NOT EXISTS {schema}")
            if how == "options":
                clients.append(pool.client(options=f"-c search_path={schema}"))
            else:
                clients.append(pool.client())
                clients[-1].execute(cast(LiteralString, f"SET search_path = {schema}"))
        seen = [one(client, "SHOW search_path") for client in (*clients, *clients)]
        if seen == ["one", "two"] * 2:
            third = one(pool.other(clients[0]), "SHOW search_path")
            return LEAKS if third in ("one", "two") else WORKS
        return "each client gets another's"

    return probe


def advisory(pool: Pool) -> str:
    clients = [pool.client(), pool.client()]
    got = [one(client, "SELECT pg_try_advisory_lock(4711)") for client in clients]
    return {(True, False): WORKS, (True, True): "both clients get the lock"}[got[0], got[1]]


def advisory_left(pool: Pool) -> str:
    """Incident: the client is gone, its lock is not."""
    with pool.client() as client:
        client.execute("SELECT pg_advisory_lock(4711)")
    with psycopg.connect(pool.server, autocommit=True) as direct:

        def free() -> bool:
            return bool(one(direct, "SELECT pg_try_advisory_lock(4711)"))

        if pool.mode == "session":  # the pooler cleans up behind its client
            wait_until(free, "the lock is free")
            return WORKS
        one(pool.client(), "SELECT 1")
        return WORKS if free() else "held after its client has left"


def advisory_in_transaction(pool: Pool) -> str:
    first, second = pool.client(), psycopg.connect(pool.server)
    pool.clients.callback(second.close)
    with first.transaction():
        first.execute("SELECT pg_advisory_xact_lock(4711)")
        held = not one(second, "SELECT pg_try_advisory_xact_lock(4711)")
    return WORKS if held else LOST


def listen(pool: Pool) -> str:
    client = pool.client()
    client.execute("LISTEN news")
    execute(pool.server, "NOTIFY news")
    # A pooler holds what comes for nobody; it would be here with the answer to a query of this client.
    select.select([client.fileno()], [], [], 0.3)
    client.execute("SELECT 1")
    return WORKS if list(client.notifies(timeout=0.01)) else "no notification arrives"


def temporary(pool: Pool) -> str:
    first = pool.client()
    first.execute("CREATE TEMPORARY TABLE scratch (a int)")
    other = pool.other(first)
    try:
        other.execute("CREATE TEMPORARY TABLE scratch (a int)")
    except psycopg.errors.DuplicateTable:
        return "leaks to others: 42P07 for the second"
    return WORKS


def cursor(pool: Pool) -> str:
    client = pool.client()
    with client.transaction():
        client.execute("DECLARE c CURSOR FOR SELECT generate_series(1, 3)")
        return WORKS if one(client, "FETCH 1 FROM c") == 1 else LOST


def held_cursor(pool: Pool) -> str:
    first = pool.client()
    first.execute("DECLARE c CURSOR WITH HOLD FOR SELECT generate_series(1, 3)")
    mine = one(first, "FETCH 1 FROM c")
    other = pool.other(first)
    with suppress(psycopg.errors.InvalidCursorName):
        return f"{LEAKS}: they take its rows" if one(other, "FETCH 1 FROM c") == 2 else LOST
    return WORKS if mine == 1 else LOST


def prepared_in_sql(pool: Pool) -> str:
    first = pool.client()
    first.execute("PREPARE p AS SELECT 1")
    other = pool.other(first)
    try:
        other.execute("PREPARE p AS SELECT 2")
    except psycopg.errors.DuplicatePreparedStatement:
        return "leaks to others: 42P05 for the second"
    return WORKS


def prepared(pool: Pool) -> str:
    """By the protocol, as drivers do: two clients use one name for different statements."""
    first = pool.client()
    seen = [one(first, "SELECT 'mine'", prepare=True) for _ in range(2)]
    other = pool.other(first)
    with pool.clients:
        theirs = [one(other, "SELECT 'theirs'", prepare=True) for _ in range(2)]
        if pool.mode != "session":
            seen.append(one(first, "SELECT 'mine'", prepare=True))
    return WORKS if set(seen) == {"mine"} and set(theirs) == {"theirs"} else "another's statement is run"


def deallocated(pool: Pool) -> str:
    first = pool.client()
    one(first, "SELECT 'mine'", prepare=True)
    other = first if pool.mode == "session" else pool.client()
    other.execute("DEALLOCATE ALL")
    if pool.mode == "session":
        return WORKS
    return WORKS if one(first, "SELECT 'mine'", prepare=True) == "mine" else LOST


def cached_plan(pool: Pool) -> str:
    """A column is added while a client has ``SELECT *`` prepared. Who comes later should not notice."""
    execute(pool.server, "CREATE TABLE t (a int)")
    first = pool.client()
    first.execute("SELECT * FROM t", prepare=True)
    execute(pool.server, "ALTER TABLE t ADD COLUMN b int")
    if not _fails(first):
        return WORKS
    if not _fails(pool.other(first)):
        return "0A000 for the client that had it"
    pool.console("RECONNECT")
    return f"0A000 for new clients too, {'for ever' if _fails(pool.client()) else 'until RECONNECT'}"


def _fails(client: psycopg.Connection[Any]) -> bool:
    try:
        client.execute("SELECT * FROM t", prepare=True)
    except psycopg.errors.FeatureNotSupported:
        return True
    return False


def canceled(pool: Pool) -> str:
    client = pool.client()
    client.pgconn.send_query(b"SELECT pg_sleep(60)")
    client.pgconn.flush()
    with psycopg.connect(pool.server) as direct:
        while not one(direct, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
            direct.rollback()
    client.cancel_safe()
    result = client.pgconn.get_result()
    while client.pgconn.get_result():
        pass
    assert result is not None
    said = (result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or b"").decode()
    return WORKS if said == "57014" else f"not canceled, {said}"


def told_pid(pool: Pool) -> str:
    client = pool.client()
    return (
        WORKS if one(client, "SELECT pg_backend_pid()") == client.info.backend_pid else "an invented number"
    )


def sequence(pool: Pool) -> str:
    execute(pool.server, "CREATE SEQUENCE s")
    first = pool.client()
    mine = one(first, "SELECT nextval('s')")
    one(pool.other(first), "SELECT nextval('s')")
    if pool.mode == "session":
        return WORKS
    return WORKS if one(first, "SELECT currval('s')") == mine else "another client's number"


def concurrently(pool: Pool) -> str:
    execute(pool.server, "CREATE TABLE t (a int)")
    pool.client().execute("CREATE INDEX CONCURRENTLY i ON t (a)")
    return WORKS if _valid(pool) else "INVALID"


def concurrently_timed_out(pool: Pool) -> str:
    """PgBouncer gives up after query_timeout, while another transaction keeps the build waiting."""
    execute(pool.server, "CREATE TABLE t (a int)")
    with psycopg.connect(pool.server) as blocker:
        blocker.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")
        client = pool.client()
        (pid,) = client.execute("SELECT pg_backend_pid()").fetchone() or (0,)
        try:
            client.execute("CREATE INDEX CONCURRENTLY i ON t (a)")
        except psycopg.Error as error:
            said = refusal(error).removeprefix("refused, ")
        else:
            return "not stopped"
        with psycopg.connect(pool.server, autocommit=True) as direct:
            going, there = 0, 1
            while there and not going:  # it begins what it was sent before it sees that nobody listens
                going = one(direct, f"SELECT count(*) FROM pg_stat_activity WHERE {_BUILDS}")
                there = one(direct, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}")
    return f"{said}; the build {'goes on' if going else 'ends'}"


_BUILDS = "query LIKE 'CREATE INDEX CONC%' AND state = 'active'"


def _valid(pool: Pool) -> bool:
    return bool(
        execute(pool.server, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")[0][0]
    )


def in_transaction(pool: Pool) -> str:
    client = pool.client()
    with client.transaction():
        client.execute("SET LOCAL work_mem = '77MB'")
        kept = one(client, "SHOW work_mem") == "77MB"
    return WORKS if kept and one(client, "SHOW work_mem") != "77MB" else LOST


def lock_timeout(pool: Pool) -> str:
    client = pool.client(options="-c lock_timeout=2s")
    return {"2s": WORKS, "0": "ignored: it is 0"}[one(client, "SHOW lock_timeout")]


_REFUSING = {"ignore_startup_parameters": "options"}

FEATURES: Mapping[str, tuple[Probe, dict[str, object]]] = {
    "`BEGIN`, `SET LOCAL`, `COMMIT`": (in_transaction, {}),
    "`SET`": (state("SET work_mem = '77MB'", "SHOW work_mem", "77MB"), {}),
    "`SET TimeZone`": (state("SET TimeZone = 'Asia/Tokyo'", "SHOW TimeZone", "Asia/Tokyo"), {}),
    "`SET ROLE`": (state("SET ROLE pg_monitor", "SELECT current_user", "pg_monitor"), {}),
    "`SET search_path`": (followed("SET"), {}),
    "`search_path` when connecting (`PGOPTIONS`)": (followed("options"), {}),
    "`lock_timeout` when connecting (`PGOPTIONS`)": (lock_timeout, {}),
    "the same with `ignore_startup_parameters = options`": (lock_timeout, _REFUSING),
    "advisory lock of the session": (advisory, {}),
    "advisory lock when its client has left": (advisory_left, {}),
    "advisory lock of the transaction": (advisory_in_transaction, {}),
    "`LISTEN`": (listen, {}),
    "temporary table": (temporary, {}),
    "cursor in a transaction": (cursor, {}),
    "cursor `WITH HOLD`": (held_cursor, {}),
    "`currval`": (sequence, {}),
    "`PREPARE` in SQL": (prepared_in_sql, {}),
    "prepared statement of a driver": (prepared, {}),
    "the same after another's `DEALLOCATE ALL`": (deallocated, {}),
    "the same after `ADD COLUMN`": (cached_plan, {}),
    "`CREATE INDEX CONCURRENTLY`": (concurrently, {}),
    "the same with `query_timeout = 1`": (concurrently_timed_out, {"query_timeout": 1}),
    "cancel a query": (canceled, {}),
    "the process id told to the client": (told_pid, {}),
}
