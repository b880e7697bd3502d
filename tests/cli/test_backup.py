"""``pgrehearse backup`` from outside: what it says, what it leaves behind, and what the gate makes of it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pgrehearse.servers import start as start_server
from support import processes
from support.backups import Shop, changed, empty, flipped, opened
from support.databases import execute
from support.majors import TEST_MAJOR
from support.processes import PGREHEARSE
from support.waiting import LIMIT, wait_until
from support.ways import Way, way_on

_SENDING = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with start_server(TEST_MAJOR) as server:
        yield opened(server, tmp_path_factory.mktemp("backups"))


@pytest.fixture
def way(shop: Shop, bench: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    with way_on(shop.server, bench, monkeypatch) as made:  # type: ignore[arg-type]
        yield made


def call(shop: Shop, *words: str, cwd: Path) -> processes.Ended:
    return processes.call((*PGREHEARSE, "backup", *words, "--dsn", shop.dsn), cwd)


@pytest.fixture
def into(shop: Shop) -> Iterator[Path]:
    """An empty folder for copies; it must be so at the end."""
    with empty(shop) as place:
        yield place


def test_production_is_named(shop: Shop, tmp_path: Path) -> None:
    refused = call(shop, "take", "never", cwd=tmp_path)
    assert (refused.status, "--environment production" in refused.err) == (69, True)
    assert not (tmp_path / "never").exists()


def test_taken_verified_and_told(shop: Shop, tmp_path: Path, into: Path) -> None:
    nothing = call(shop, "status", cwd=tmp_path)
    assert (nothing.status, "no backup of this database was verified" in nothing.out) == (1, True)
    there = ("--environment", "production")
    assert call(shop, "take", "monday", *there, cwd=tmp_path).status == 0
    done = call(shop, "verify", "monday", *there, "--into", str(into), cwd=tmp_path)
    assert (done.status, "monday: canary read back" in done.out) == (0, True), done.said
    value = json.loads(call(shop, "status", "--json", cwd=tmp_path).out)
    assert (value["enough"], value["receipt"]["level"], value["missing"]) == (True, "canary", [])
    files = list((tmp_path / ".pgrehearse" / "receipts").glob("shop-*.json"))
    assert len(files) == 1
    changed(tmp_path / "monday" / "global" / "1262", flipped)
    worse = call(shop, "verify", "monday", *there, "--into", str(into), cwd=tmp_path)
    assert (worse.status, "checksum mismatch" in worse.out) == (1, True)
    assert call(shop, "status", cwd=tmp_path).status == 1, "the last word on a backup counts"


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_what_is_interrupted_leaves_no_server_no_space_no_receipt(
    shop: Shop, tmp_path: Path, into: Path, word: signal.Signals
) -> None:
    there = ("--environment", "production", "--dsn", shop.dsn)
    assert call(shop, "take", "one", *there[:2], cwd=tmp_path).status == 0
    receipts = execute(shop.dsn, "SELECT count(*) FROM pgrehearse.receipt")
    command = (*PGREHEARSE, "backup", "verify", "one", "--into", str(into), *there)
    running = processes.start(command, tmp_path)
    try:
        wait_until(lambda: any(into.glob("pgr-*/data")) or running.poll() is not None, "it copies")
        running.send_signal(word)
        status = running.wait(LIMIT)
    finally:
        processes.end(running)
    assert execute(shop.dsn, "SELECT count(*) FROM pgrehearse.receipt") == receipts
    if word == signal.SIGINT:
        assert status == 130
        assert list(into.iterdir()) == []
        return
    # The copy that was being made stays until the next run, which also removes what it left.
    wait_until(lambda: not served(into), "its server has ended")
    assert call(shop, "verify", "one", "--into", str(into), *there[:2], cwd=tmp_path).status == 0


def served(into: Path) -> bool:
    """Whether a process of this machine was called with a place in ``into``."""
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            if bytes(into) in line.read_bytes():
                return True
    return False


def test_a_backup_that_is_interrupted_is_none(shop: Shop, tmp_path: Path) -> None:
    command = (*PGREHEARSE, "backup", "take", "half", "--dsn", shop.dsn, "--environment", "production")
    running = processes.start(command, tmp_path)
    try:
        wait_until(lambda: any(tmp_path.glob(".half.*")) or running.poll() is not None, "it takes")
        running.send_signal(signal.SIGINT)
        status = running.wait(LIMIT)
    finally:
        processes.end(running)
    assert list(tmp_path.glob(".half.*")) == []
    wait_until(lambda: execute(shop.dsn, _SENDING) == [(0,)], "the server sends no backup any more")
    assert (tmp_path / "half").exists() == (status == 0)


def test_the_gate_reads_the_receipt(way: Way, tmp_path: Path) -> None:
    way.migration(1, "CREATE TABLE shop (id int);")
    way.declare()
    file = way.bench.root / "environments.toml"
    before, _, production = file.read_text("utf-8").rpartition("[[environment]]")
    production = production.replace(', "backup"', "")
    file.write_text(f"{before}[[environment]]{production}", "utf-8")
    way.install()
    way.up()
    way.to_staging()

    def gate(person: str = "deploy") -> tuple[bool, str]:
        value = json.loads(way.call(person, "plan", "production", "--json").out)
        found = next(one for one in value["gates"] if one["gate"] == "backup")
        return found["green"], found["evidence"]

    database = execute(way.databases["production"].dsn, "SELECT current_database()")[0][0]
    assert gate() == (False, f"no backup of {database} was verified; canary read back is asked for")
    dsn = f"{way.databases['production'].dsn} user={way.who('deploy')}"
    words = ("--dsn", dsn, "--environment", "production")
    taken = way.bench.call("backup", "take", str(tmp_path / "dump"), "--adapter", "pg_dump", *words)
    assert taken.status == 0, taken.said
    known = tmp_path / "dump.sha256"
    content = known.read_text("utf-8")
    known.unlink()
    assert way.bench.call("backup", "verify", str(tmp_path / "dump"), *words).status == 1
    green, said = gate()
    assert not green
    assert said.splitlines()[0] == f"{database}, level: listed, and canary read back is asked for"
    assert "dump.sha256" in said.splitlines()[1]
    known.write_text(content, "utf-8")
    done = way.bench.call("backup", "verify", str(tmp_path / "dump"), *words)
    assert done.status == 0, done.said
    assert gate()[0]
    assert gate("vic")[0], "who takes part may read it"
    way.approved()
    way.good("deploy", "apply", "production")
    way.migration(2, "ALTER TABLE shop ADD COLUMN name text;")
    way.up()
    way.to_staging()
    green, said = gate()
    assert (green, said) == (False, f"{database}, ledger: the copy is at migration none, {database} at 1")
