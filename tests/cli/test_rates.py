"""``pgrehearse rates``: what it measures, where it may, and what it leaves: nothing."""

from __future__ import annotations

from pgrehearse.connections import connect
from pgrehearse.measurement.rates import KINDS, measure
from pgrehearse.servers import Server
from support.bench import Bench
from support.databases import fresh


def test_every_kind_of_work_is_measured_and_nothing_stays(bench: Bench, server: Server) -> None:
    before = _databases(server)
    with fresh(server, "disposable") as dsn:
        ended = bench.call("rates", "--size", "2", "--server", dsn)
    assert ended.status == 0, ended.said
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"PostgreSQL {server.version}, a table of ")
    assert [line.split("  ")[0].strip() for line in lines[2:]] == [kind.said for kind in KINDS.values()]
    assert _databases(server) <= before  # others' may go meanwhile


def test_a_server_of_production_is_refused(bench: Bench, server: Server) -> None:
    with fresh(server, "production") as dsn:
        ended = bench.call("rates", "--size", "1", "--server", dsn)
    assert ended.status != 0
    assert "marked 'production'" in ended.said


def test_what_is_written_is_counted_as_disk_and_what_is_read_is_not(server: Server) -> None:
    with fresh(server) as dsn, connect(dsn, autocommit=True) as connection:
        found = measure(connection, 2, runs=1)
    assert set(found.disk) == {"index", "rewrite", "batches"}
    assert 0.9 < found.disk["rewrite"] < 1.2
    assert 0.1 < found.disk["index"] < 0.5
    assert found.disk["batches"] > 0.9  # each row once more
    assert all(seconds > 0 for seconds in found.seconds.values())


def _databases(server: Server) -> set[str]:
    with connect(server.dsn(), autocommit=True) as connection:
        named = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE '%rates%'")
        return {name for (name,) in named}
