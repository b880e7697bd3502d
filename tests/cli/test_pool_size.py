"""``pgrehearse pool size``: a bounded load on a copy, where it may run, and what it leaves: nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pgrehearse.servers import Server
from support.bench import Bench
from support.databases import Database, fresh
from support.poolers import proxy_before

QUICK = ("--connections", "1,2", "--seconds", "1")


@pytest.fixture
def copy(server: Server) -> Iterator[Database]:
    with fresh(server, "disposable") as dsn:
        yield Database(dsn)


def test_curves_a_knee_and_the_formula_come_out_and_nothing_stays(bench: Bench, copy: Database) -> None:
    copy.execute("CREATE TABLE pgbench_accounts (theirs int)")
    svg = bench.root / "pool.svg"
    ended = bench.call("pool", "size", "--dsn", copy.dsn, *QUICK, "--cores", "4", "--svg", str(svg))
    assert ended.status == 0, ended.said
    lines = ended.out.splitlines()
    assert lines[0].split() == ["connections", "tps", "p50", "ms", "p99", "ms", "throughput"]
    assert [line.split()[0] for line in lines[1:3]] == ["1", "2"]
    knee = next(line for line in lines if line.startswith("knee: ")).split()[1]
    assert f"formula: 2 * 4 cores + 1 = 9; measured: {knee}" in lines
    assert svg.read_text("utf-8").startswith("<svg ")
    assert copy.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'pgrehearse%'") == []
    assert copy.execute("SELECT * FROM pgbench_accounts") == []


def test_a_mix_of_scripts_is_sent_as_json_says(bench: Bench, copy: Database) -> None:
    copy.execute("CREATE TABLE seen (a int)")
    one = bench.write("one.sql", "\\set a random(1, 9)\nINSERT INTO seen VALUES (:a);\n")
    two = bench.write("two.sql", "SELECT 1;\n")
    call = ("pool", "size", "--dsn", copy.dsn, *QUICK, "--mix", f"{one}@3", "--mix", str(two), "--json")
    ended = bench.call(*call)
    assert ended.status == 0, ended.said
    found = json.loads(ended.out)
    assert [each["connections"] for each in found["measured"]] == [1, 2]
    assert all(each["tps"] > 0 and each["p99_ms"] >= each["p50_ms"] for each in found["measured"])
    assert found["knee"] in (1, 2)
    assert copy.one("SELECT count(*) > 0 FROM seen")


@pytest.mark.parametrize("environment", ["development", "staging", "production"])
def test_only_a_copy_is_loaded(bench: Bench, copy: Database, environment: str) -> None:
    copy.mark(environment)
    ended = bench.call("pool", "size", "--dsn", copy.dsn, *QUICK)
    assert ended.status == 69
    assert f"is {environment}, and the load takes all its server has" in ended.err
    assert "next: restore a copy" in ended.err


def test_a_pooler_is_not_measured_in_place_of_the_server(bench: Bench, copy: Database) -> None:
    with proxy_before(copy.dsn) as pooled:
        assert bench.call("pool", "size", "--dsn", pooled, *QUICK).status == 69


@pytest.mark.parametrize(
    ("script", "said", "status"),
    [
        ("SELECT nothing;\n", 'column "nothing" does not exist', 69),
        ("SELECT 1;\n\\shell true\n", "2: this would start a program of this machine", 65),
        (" \\SetShell a true\n", "1: this would start a program of this machine", 65),
    ],
)
def test_a_mix_that_cannot_be_sent_is_told(
    bench: Bench, copy: Database, script: str, said: str, status: int
) -> None:
    file = bench.write("mix.sql", script)
    ended = bench.call("pool", "size", "--dsn", copy.dsn, *QUICK, "--mix", str(file))
    assert (ended.status, said in ended.err) == (status, True), ended.said


def test_numbers_beyond_the_room_of_the_server_are_left_out(bench: Bench, copy: Database) -> None:
    script = bench.write("one.sql", "SELECT 1;\n")
    room = copy.one("SELECT current_setting('max_connections')::int")
    if room > 64:
        pytest.skip("this server has room for all that can be asked for")
    ended = bench.call(
        *("pool", "size", "--dsn", copy.dsn, "--connections", "1,64", "--seconds", "1", "--mix", str(script))
    )
    assert ended.status == 0, ended.said
    assert "not tried: more than 1; the server has room for" in ended.err


@pytest.mark.parametrize("numbers", ["0", "65", "a", "", "1,,2"])
def test_numbers_that_are_none_are_refused(bench: Bench, numbers: str) -> None:
    assert bench.call("pool", "size", "--connections", numbers).status == 2


def test_tables_that_a_killed_run_left_are_named(bench: Bench, copy: Database) -> None:
    copy.execute("CREATE SCHEMA pgrehearse_pool")
    ended = bench.call("pool", "size", "--dsn", copy.dsn, *QUICK)
    assert ended.status == 69
    assert "DROP SCHEMA pgrehearse_pool CASCADE" in ended.err
    assert copy.one("SELECT to_regnamespace('pgrehearse_pool') IS NOT NULL")
