"""Commands that only look, and lose their connection at any of their requests: told, never a bug of ours."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from support.bench import Bench
from support.databases import Database
from support.faults.cluster import Cluster
from support.faults.wire import Line, Point, Wire
from support.processes import Ended

#: How many requests of a command are struck, evenly over its length.
_MOMENTS = 8
COMMANDS = (
    "db status",
    "db check",
    "environment show",
    "environment set staging",
    "xray x.sql",
    "db smoke --read-only",
    "db timing",
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as made:
        yield made


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder for a socket, whose path must be short."""
    made = Path(tempfile.mkdtemp(prefix="pgr-lost-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def place(bench: Bench, cluster: Cluster) -> Iterator[Database]:
    bench.write("db/migrations/1_item.sql", "-- migrate:up\nCREATE TABLE item (n int);\n-- migrate:down\n")
    bench.write("db/smoke.sql", "-- smoke: it answers\nSELECT 1;\n")
    bench.write("x.sql", "ALTER TABLE item ADD COLUMN note text;\n")
    cluster.execute("CREATE DATABASE lost")
    made = Database(cluster.dsn("lost"))
    made.mark("staging")
    assert bench.call("db", "up", "--dsn", made.dsn).status == 0
    assert bench.call("db", "check", "--write-schema").status == 0
    yield made
    cluster.execute("DROP DATABASE lost WITH (FORCE)")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_lost_connection_is_told(
    bench: Bench, place: Database, cluster: Cluster, short: Path, command: str
) -> None:
    def run(point: Point | None) -> tuple[Ended, int]:
        (short / ".s.PGSQL.5432").unlink(missing_ok=True)
        with Wire(short, cluster.folder, point) as wire:
            ended = bench.call(*command.split(), "--dsn", make_conninfo(place.dsn, host=str(short)))
            return ended, len(wire.requests)

    def strike(line: Line) -> None:
        cluster.execute(f"SELECT pg_terminate_backend({line.pid})")

    undisturbed, length = run(None)
    assert undisturbed.status in (0, 65), undisturbed
    statuses = set()
    for number in range(1, length + 1, max(1, length // _MOMENTS)):
        ended, _ = run(Point(number, "before" if number % 2 else "after", 0.0, strike))
        statuses.add(ended.status)
        if ended.status != undisturbed.status:
            assert ended.status == 69, f"request {number} of {length}: {ended}"
            assert "next: " in ended.err
            assert "Traceback" not in ended.err and "BAD" not in ended.err, ended.err
    assert 69 in statuses, "the control: at least one request was struck"
