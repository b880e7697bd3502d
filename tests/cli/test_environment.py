"""``pgrehearse environment``: set by who may, lowered on purpose only, and believed by every command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgrehearse.servers import Servers
from support.bench import Bench
from support.databases import Database, Owned, execute, owned_on
from support.majors import OLD_AND_NEW
from support.processes import Ended

UP = "-- migrate:up\nCREATE TABLE trace (at int GENERATED ALWAYS AS IDENTITY, note text);\n-- migrate:down\n"


@pytest.fixture(params=OLD_AND_NEW)
def owned(servers: Servers, request: pytest.FixtureRequest) -> Iterator[Owned]:
    """A database whose owner is no superuser, as on a managed cloud."""
    with owned_on(servers.get(request.param)) as made:
        yield made


def mark(bench: Bench, dsn: str, *words: str) -> Ended:
    return bench.call("environment", "set", *words, "--dsn", dsn)


def show(bench: Bench, dsn: str) -> Ended:
    return bench.call("environment", "show", "--dsn", dsn)


def test_an_owner_marks_a_database_and_works_with_it(bench: Bench, owned: Owned) -> None:
    bench.write("db/migrations/1_trace.sql", UP + "DROP TABLE trace;\n")
    bench.runbook(["INSERT INTO trace (note) VALUES ('one');"])
    refused = bench.call("db", "up", "--dsn", owned.dsn)
    assert refused.status == 69
    assert "does not say which environment it is\n  next: say it once" in refused.err
    marked = mark(bench, owned.dsn, "staging")
    assert (marked.status, marked.out) == (0, f"{owned.name} is staging, said by the comment\n")
    for words in (
        ("db", "up"),
        ("db", "check", "--write-schema"),
        ("db", "check"),
        ("db", "status"),
        ("run", "sample", "--yes"),
    ):
        ended = bench.call(*words, "--dsn", owned.dsn)
        assert ended.status == 0, f"{words}: {ended.out}{ended.err}"
    assert owned.trace() == ["one"]
    ended = bench.call("db", "rollback", "--dsn", owned.dsn)
    assert (ended.status, "is staging; a down part" in ended.err) == (69, True)


def test_a_statement_of_the_advice_marks_the_database(bench: Bench, owned: Owned) -> None:
    execute(owned.dsn, f"COMMENT ON DATABASE \"{owned.name}\" IS 'It''s the shop''s'")
    refused = show(bench, owned.dsn)
    assert (refused.status, refused.out) == (69, "")
    statement = refused.err.split("in SQL, as its owner: ")[1].split("\n")[0]
    execute(owned.dsn, statement)
    shown = show(bench, owned.dsn)
    assert shown.status == 0
    assert shown.out.startswith(f"{owned.name} (staging) on ")
    assert shown.out.endswith("said by the comment\n")
    refused = bench.call("environment", "show", "--dsn", owned.server.dsn("postgres"))
    statement = refused.err.split("or as a superuser: ")[1].split("\n")[0]
    assert statement == "ALTER DATABASE \"postgres\" SET pgrehearse.environment = 'staging';"


def test_a_mark_is_lowered_on_purpose_only(bench: Bench, plain: Database) -> None:
    assert mark(bench, plain.dsn, "test").status == 0
    assert mark(bench, plain.dsn, "production").status == 0, "more protected needs no asking"
    assert mark(bench, plain.dsn, "production").status == 0
    for name in ("staging", "development", "test", "disposable"):
        refused = mark(bench, plain.dsn, name)
        assert refused.status == 69
        assert "is production, which is more protected" in refused.err
        assert "--replace production" in refused.err
    refused = mark(bench, plain.dsn, "staging", "--replace", "development")
    assert "is production, not development" in refused.err
    assert "(production) on " in show(bench, plain.dsn).out
    done = mark(bench, plain.dsn, "staging", "--replace", "production")
    assert (done.status, done.out) == (0, f"{plain.name} is staging, said by the setting\n")
    assert mark(bench, plain.dsn, "production", "--replace", "test").status == 69


def test_the_more_protected_of_two_forms_is_what_is_lowered(bench: Bench, owned: Owned) -> None:
    assert mark(bench, owned.dsn, "production").status == 0
    Database(owned.admin).mark("test")
    refused = show(bench, owned.dsn)
    assert (refused.status, "'test' by its setting and 'production' by its comment" in refused.err) == (
        69,
        True,
    )
    assert "is production, which is more protected" in mark(bench, owned.admin, "test").err
    assert mark(bench, owned.admin, "test", "--replace", "production").status == 0
    assert "(test) on " in show(bench, owned.dsn).out


def test_an_unknown_name_is_refused(bench: Bench, plain: Database) -> None:
    refused = mark(bench, plain.dsn, "prod")
    assert refused.status == 2
    assert "'prod' is not one of 'disposable', 'test', 'development', 'staging', 'production'" in refused.err
    plain.mark("prod")
    assert "calls its environment 'prod'" in show(bench, plain.dsn).err
    assert "--replace prod" in mark(bench, plain.dsn, "production").err, "nobody knows what prod protects"
    assert mark(bench, plain.dsn, "production", "--replace", "prod").status == 0


def test_the_database_is_named_as_for_other_commands(
    bench: Bench, plain: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no database is named" in bench.call("environment", "show").err
    monkeypatch.setenv("DATABASE_URL", plain.dsn)
    assert bench.call("environment", "set", "test").status == 0
    assert bench.call("environment", "show").out.startswith(f"{plain.name} (test) on ")
    monkeypatch.setenv("DATABASE_URL", "")
    refused = show(bench, "host=/nowhere dbname=x password=hush")
    assert (refused.status, "hush" in refused.err + refused.out) == (69, False)
