"""Which database ``pgrehearse run`` works on: named on purpose, marked in its catalog, or refused."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrehearse.servers import Server
from support.bench import Bench
from support.databases import Database
from support.poolers import bouncer_before, proxy_before

ONE = ["INSERT INTO trace (note) VALUES ('one');"]


def test_no_database_is_named(bench: Bench) -> None:
    bench.runbook(ONE)
    ended = bench.call("run", "sample")
    assert ended.status == 69
    assert ended.err.startswith("error: no database is named\n  next: give --dsn")


def test_a_dsn_without_database_names_none(bench: Bench, server: Server) -> None:
    """libpq would take the user's name for it."""
    bench.runbook(ONE)
    parts = conninfo_to_dict(server.dsn("postgres"))
    del parts["dbname"]
    ended = bench.call("run", "sample", "--dsn", make_conninfo("", **parts))
    assert ended.status == 69
    assert "no database is named" in ended.err


def test_unreachable(bench: Bench) -> None:
    bench.runbook(ONE)
    ended = bench.call("run", "sample", "--dsn", "host=/nowhere dbname=x password=hush")
    assert ended.status == 69
    assert "the database cannot be reached: " in ended.err
    assert "/nowhere" in ended.err
    assert "hush" not in ended.err


@pytest.mark.parametrize(
    "dsn",
    [
        "host=/nowhere dbname=x password=top hush",
        "postgresql://me:to/hush@host/x",
        "postgresql://me:hush%@host/x",
        "postgresql://me:1/hush@host/x",
    ],
)
def test_a_password_in_a_malformed_dsn_is_not_repeated(bench: Bench, dsn: str) -> None:
    bench.runbook(ONE)
    ended = bench.call("run", "sample", "--dsn", dsn)
    assert ended.status == 69
    assert "cannot be read as a connection string" in ended.err
    assert "hush" not in ended.err + ended.out


def test_an_unmarked_database_is_refused_with_the_statement_that_marks_it(
    bench: Bench, plain: Database
) -> None:
    bench.runbook(ONE)
    ended = bench.call("run", "sample", "--dsn", plain.dsn)
    assert ended.status == 69
    assert f"refused: database '{plain.name}' does not say which environment it is" in ended.err
    statement = f"ALTER DATABASE \"{plain.name}\" SET pgrehearse.environment = 'staging';"
    assert statement in ended.err
    plain.execute(statement)
    assert bench.call("run", "sample", "--dsn", plain.dsn, "--phase", "preflight", "--yes").status == 0


def test_an_unknown_environment_is_refused(bench: Bench, plain: Database) -> None:
    plain.mark("prod")
    bench.runbook(ONE)
    ended = bench.call("run", "sample", "--dsn", plain.dsn)
    assert ended.status == 69
    assert "calls its environment 'prod'" in ended.err


def test_a_setting_of_the_session_is_no_mark(
    bench: Bench, plain: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark is read from the catalog: PGOPTIONS in a shell must not turn production into staging."""
    plain.execute("CREATE TABLE trace (note text)")
    bench.runbook(ONE)
    monkeypatch.setenv("PGOPTIONS", "-c pgrehearse.environment=staging")
    assert "does not say which environment" in bench.call("run", "sample", "--yes", "--dsn", plain.dsn).err
    plain.mark("production")
    ended = bench.call("run", "sample", "--yes", "--dsn", plain.dsn)
    assert ended.status == 69
    assert "which is production" in ended.err


def test_a_setting_of_the_user_is_no_mark(bench: Bench, staging: Database) -> None:
    staging.mark("production")
    staging.execute(
        f"ALTER ROLE CURRENT_USER IN DATABASE \"{staging.name}\" SET pgrehearse.environment = 'staging'"
    )
    bench.runbook(ONE)
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 69
    assert "which is production" in ended.err


def test_yes_is_refused_on_production(bench: Bench, staging: Database) -> None:
    staging.mark("production")
    bench.runbook(ONE)
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 69
    assert f"refused: --yes on '{staging.name}', which is production" in ended.err
    assert staging.trace() == []
    for phase in ("preflight", "verify"):
        assert bench.call("run", "sample", "--yes", "--phase", phase, "--dsn", staging.dsn).status == 0
    assert bench.call("run", "sample", "--yes", "--phase", "roll-back", "--dsn", staging.dsn).status == 69
    asked = bench.call("run", "sample", "--dsn", staging.dsn, answers=f"{staging.name}\ny\ny\ny\n")
    assert asked.status == 0, asked.err
    assert staging.trace() == ["one"]


@pytest.mark.parametrize("answers", ["y\n" * 9, "\n" + "y\n" * 9, "production\ny\ny\ny\n", ""])
@pytest.mark.parametrize("phase", [[], ["--phase", "roll-back"], ["--phase", "verify", "--phase", "apply"]])
def test_production_is_changed_only_by_who_types_its_name(
    bench: Bench, staging: Database, answers: str, phase: list[str]
) -> None:
    staging.mark("production")
    staging.execute("INSERT INTO trace (note) VALUES ('there')")
    bench.runbook(ONE)
    ended = bench.call("run", "sample", "--dsn", staging.dsn, *phase, answers=answers)
    assert (ended.status, staging.trace()) == (69, ["there"]), ended.said
    assert f"{staging.name} is production; type its name to go on" in ended.out
    assert "its name was not typed" in ended.err


def test_checks_and_other_environments_ask_for_no_name(bench: Bench, staging: Database) -> None:
    bench.runbook(ONE)
    assert bench.call("run", "sample", "--dsn", staging.dsn, answers="y\ny\ny\n").status == 0
    staging.mark("production")
    looked = bench.call("run", "sample", "--dsn", staging.dsn, "--phase", "preflight", answers="y\n")
    assert (looked.status, "type its name" in looked.out) == (0, False), looked.said


PYTHON = """```python
import os

import psycopg

with psycopg.connect() as connection:
    connection.execute("INSERT INTO trace (note) VALUES (current_database() || ' ' || current_user)")
print(sorted(name for name in os.environ if name.startswith("PGSERVICE")))
```"""


@pytest.mark.parametrize("way", ["dsn", "environment", "service", "service and dsn"])
def test_python_cells_reach_the_same_database(
    bench: Bench, staging: Database, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    parts = {name: str(value) for name, value in conninfo_to_dict(staging.dsn).items()}
    arguments = []
    if way == "dsn":
        arguments = ["--dsn", staging.dsn]
        monkeypatch.setenv("PGDATABASE", "template1")
    elif way == "environment":
        for name, value in parts.items():
            monkeypatch.setenv({"dbname": "PGDATABASE"}.get(name, f"PG{name.upper()}"), value)
    else:
        own = dict(parts)
        if way == "service and dsn":
            arguments = ["--dsn", f"service=place dbname={staging.name}"]
            own["dbname"] = "template1"
        else:
            monkeypatch.setenv("PGSERVICE", "place")
        lines = "".join(f"{name}={value}\n" for name, value in own.items())
        monkeypatch.setenv("PGSERVICEFILE", str(bench.write("services.conf", f"[place]\n{lines}")))
        monkeypatch.setenv("PGPORT", "1")  # the service's port wins, also in a cell
    bench.runbook([PYTHON])
    ended = bench.call("run", "sample", "--yes", *arguments)
    assert ended.status == 0, ended.err
    assert staging.trace() == [f"{staging.name} {parts['user']}"]


def test_the_heading_names_database_and_environment(bench: Bench, staging: Database) -> None:
    bench.runbook(ONE)
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 0, ended.err
    assert f"  on {staging.name} (staging) on " in ended.out


def test_the_time_a_connection_may_take_is_the_operators(
    bench: Bench, staging: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pgrehearse.environments.target import open_target

    dsn = make_conninfo(staging.dsn, connect_timeout="3")
    assert conninfo_to_dict(open_target(dsn).conninfo)["connect_timeout"] == "3"
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "4")
    assert conninfo_to_dict(open_target(staging.dsn).conninfo)["connect_timeout"] == "4"
    monkeypatch.delenv("PGCONNECT_TIMEOUT")
    assert conninfo_to_dict(open_target(staging.dsn).conninfo)["connect_timeout"] == "10"


@pytest.mark.parametrize("mode", ["transaction", "session", "made up"])
def test_a_pooler_is_refused(bench: Bench, staging: Database, mode: str) -> None:
    """``SET`` and temporary objects would stay with whoever gets the server connection next."""
    bench.runbook(["SET work_mem = '77MB';", *ONE])
    before = proxy_before(staging.dsn) if mode == "made up" else bouncer_before(staging.dsn, mode)
    with before as pooled:
        for more in ([], ["--phase", "verify"]):
            ended = bench.call("run", "sample", "--yes", "--dsn", pooled, *more)
            assert ended.status == 69
            assert "refused: this connection goes through a pooler" in ended.err
            assert "next: give the address of PostgreSQL itself" in ended.err
        bench.write("change.sql", "SELECT 1;")
        for words in (["xray", "change.sql"], ["backup", "take", "copy"], ["pool", "size"]):
            assert "goes through a pooler" in bench.call(*words, "--dsn", pooled).err
        assert bench.call("environment", "show", "--dsn", pooled).status == 0
    assert staging.trace() == []
    assert bench.logs() == []
