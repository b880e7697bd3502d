"""A role without pg_read_all_stats: what it cannot see is told, and the operator decides."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from pgrehearse.servers import Server
from pgrehearse.servers.binaries import client
from support import ROOT
from support.bench import Bench
from support.databases import Owned, execute, owned_on

#: A runbook with each of the shared checks, as somebody calls its Preflight.
NAMED = {
    "column-add": {"table": "item", "column": "extra", "type": "int", "comment": "x"},
    "index-create": {"table": "item", "index": "item_name", "columns": "name", "comment": "x"},
}


@pytest.fixture
def owned(server: Server) -> Iterator[Owned]:
    """A database of a role that owns it and may do nothing else."""
    with owned_on(server) as made:
        execute(made.admin, f"ALTER DATABASE \"{made.name}\" SET pgrehearse.environment = 'staging'")
        made.execute("CREATE SCHEMA s; CREATE TABLE item (id int PRIMARY KEY, name text)")
        made.execute(f'ALTER ROLE {made.owner} SET search_path = "$user", s, public')
        yield made


@contextmanager
def somebody_else(owned: Owned) -> Iterator[int]:
    """Another role's transaction that has read the table; its pid."""
    with psycopg.connect(owned.admin) as connection:
        connection.execute("SELECT * FROM item")
        yield connection.info.backend_pid
        connection.rollback()


def preflight(bench: Bench, dsn: str, name: str, *more: str, answers: str = "") -> tuple[int, str, str]:
    settings = [f"--set={key}={value}" for key, value in NAMED[name].items()]
    path = str(ROOT / "runbooks" / f"{name}.md")
    call = ["run", path, "--phase", "preflight", "--dsn", dsn, "--log", "run.jsonl", *settings, *more]
    ended = bench.call(*call, answers=answers)
    return ended.status, ended.out, ended.err


@pytest.mark.parametrize("name", ["column-add", "index-create"])
def test_what_cannot_be_seen_is_named_and_decided(bench: Bench, owned: Owned, name: str) -> None:
    status, out, err = preflight(bench, owned.dsn, name, "--yes")
    assert status == 0, out + err
    assert "not seen" not in out, "nobody is there, which every role sees"
    with somebody_else(owned) as pid:
        status, out, err = preflight(bench, owned.dsn, name, "--yes")
        assert status == 0, out + err
        assert "not seen: how old these transactions" in out
        assert f"without pg_read_all_stats: pid {pid} of " in out
        status, out, err = preflight(bench, owned.dsn, name, answers="y\nn\n")
        assert status == 0, out + err
        assert out.count("go on without having seen it? [y/N]") == 1
        status, out, err = preflight(bench, owned.dsn, name, answers="n\n")
        assert status == 1
        assert "stopped" in out
        status, out, err = preflight(bench, owned.admin, name, "--yes")
        assert (status, "not seen" in out) == (0, False), out + err


def test_what_is_seen_and_wrong_refuses_all_the_same(bench: Bench, owned: Owned) -> None:
    with somebody_else(owned):
        bench.runbook(
            ["SELECT 1;"],
            preflight="```sql\nSELECT 'unseen: x' AS a, 'stop: it is full' AS b;\n```\n\n"
            "```text\n a  | b\n----+----\n ok | ok\n(1 row)\n```",
        )
        ended = bench.call("run", "sample", "--yes", "--dsn", owned.dsn)
    assert ended.status == 1
    assert ended.err.startswith("error: refused: it is full\n  Preflight 1/1")


def test_a_script_goes_on_only_when_told(bench: Bench, owned: Owned) -> None:
    path = str(ROOT / "runbooks" / "index-create.md")
    assert bench.call("export", path, "--to", "sql", "-o", "x.sql").status == 0
    given = [f"-v{key}={value}" for key, value in NAMED["index-create"].items()]
    psql = [str(client("psql")), "-X", owned.dsn, *given, "-f", "x.sql"]
    with somebody_else(owned):
        refused = subprocess.run(psql, capture_output=True, text=True, check=False)
        assert refused.returncode == 3
        assert "go on with -v accept_unseen=1" in refused.stderr
        assert owned.one("SELECT count(*) FROM pg_index WHERE indrelid = 'item'::regclass") == 1
        accept = [*psql, "-v", "accept_unseen=1"]
        accepted = subprocess.run(accept, capture_output=True, text=True, check=False)
        assert accepted.returncode == 0, accepted.stderr
    assert owned.one("SELECT count(*) FROM pg_index WHERE indrelid = 'item'::regclass") == 2
