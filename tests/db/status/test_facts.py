"""Every fact of a snapshot: what it says of a database that is well, and of one that is not."""

from __future__ import annotations

import threading
from datetime import timedelta

import psycopg
import pytest

from pgrehearse.errors import PgRehearseError
from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.execution.own_tables import create
from pgrehearse.status import activity
from pgrehearse.status.fact import Known, Level, Unknown
from support.databases import Owned, execute
from support.snapshots import Seen, known, place_of
from support.waiting import wait_until

#: What nobody has asked for yet in a fresh database.
_NOT_ASKED = {"drift": "not compared yet"}


def test_a_fresh_database(seen: Seen) -> None:
    facts = seen.facts()
    assert {name for name, fact in facts.items() if fact.level == Level.UNKNOWN} == set(_NOT_ASKED)
    assert {name: fact.said for name, fact in facts.items() if name not in ("server", "rights")} == {
        "migrations": "0 applied",
        "promotion": "not installed",
        "now": "nothing",
        "last": "nothing was run",
        "drift": "not compared yet",
        "leftovers": "none",
        "holding": "nothing",
        "backup": "not asked for",
    }
    for fact in facts.values():
        if isinstance(fact, Known):
            assert fact.measured_at.tzinfo is not None
            assert fact.took >= 0


def test_another_mark_than_the_file_says(seen: Seen, owned: Owned) -> None:
    seen.place = place_of(owned.admin, mark="production")
    assert seen.said("server") == ["the database is marked staging, not production"]
    execute(owned.admin, f'ALTER DATABASE "{owned.name}" RESET ALL')
    assert seen.said("server") == ["the database is marked nothing, not production"]
    execute(owned.admin, f"COMMENT ON DATABASE \"{owned.name}\" IS '[pgrehearse.environment=test] x'")
    assert "not at its end" in seen.said("server")[0]


def test_migrations(seen: Seen) -> None:
    seen.migration(1, "CREATE TABLE shop (id int);")
    seen.migration(3, "ALTER TABLE shop ADD COLUMN name text;")
    seen.up()
    assert seen.fact("migrations").said == "2 applied"
    seen.migration(4, "SELECT 1;")
    value = known(seen.fact("migrations"))
    assert (value.version, value.pending) == ("3", ("4_step",))
    assert seen.level("migrations") == Level.WELL
    seen.migration(1, "CREATE TABLE shop (id bigint);")
    seen.migration(2, "SELECT 1;")
    (seen.project.migrations / "3_step.sql").unlink()
    assert seen.said("migrations") == [
        "1_step was edited after it was applied",
        "2_step is older than a migration that is applied already, and would run in another order elsewhere",
        "3 is applied, but its file is gone",
    ]


def test_a_ledger_that_cannot_be_trusted_is_unknown(seen: Seen, owned: Owned) -> None:
    seen.migration(1, "SELECT 1;")
    seen.up()
    execute(owned.admin, "ALTER TABLE public.schema_migrations RENAME TO was")
    unknown = seen.unknown()
    assert "public.schema_migrations is gone" in unknown["migrations"]


def test_the_last_change_and_what_it_cost(seen: Seen) -> None:
    seen.migration(1, "CREATE TABLE shop (id int); INSERT INTO shop SELECT generate_series(1, 1000);")
    seen.migration(2, "ALTER TABLE shop ALTER COLUMN id TYPE bigint;")
    seen.up()
    ran = known(seen.fact("last")).ran
    assert [(one.label, one.outcome, one.tries) for one in ran] == [
        ("2_step", "done", 1),
        ("1_step", "done", 1),
    ]
    assert ran[0].rewritten == ("shop",)
    assert ran[1].wal_bytes > 1000
    assert ran[0].milliseconds > 0
    assert ran[0].who
    assert seen.level("last") == Level.WELL


def test_a_migration_that_was_not_finished(seen: Seen) -> None:
    seen.migration(1, "CREATE TABLE shop (id int);")
    seen.migration(2, "SELECT 1/0;")
    for _ in range(2):
        with pytest.raises(PgRehearseError):
            seen.up()
    assert known(seen.fact("last")).ran[0].tries == 2
    (said,) = seen.said("last")
    assert said.startswith("2_step up was not finished, 2 tries: ")
    assert "division by zero" in said
    seen.migration(2, "SELECT 1;")
    seen.up()
    assert known(seen.fact("last")).ran[0].tries == 3
    assert seen.said("last") == []


def test_a_runner_that_is_gone(seen: Seen, owned: Owned) -> None:
    seen.migration(1, "SELECT 1;")
    seen.up()
    execute(
        owned.admin,
        "INSERT INTO pgrehearse.attempt (version, name, direction, sha256) VALUES ('2', 'step', 'up', '')",
    )
    assert seen.said("last") == ["2_step up was not finished, 1 try: its runner is gone"]
    with psycopg.connect(owned.admin, autocommit=True) as runner:
        runner.execute("SELECT pg_advisory_lock(%s, %s)", RUNNER)
        assert known(seen.fact("last")).ran[0].outcome == "running"
        assert seen.said("last") == []


def test_a_change_under_way_and_who_waits(seen: Seen, owned: Owned, monkeypatch: pytest.MonkeyPatch) -> None:
    execute(owned.admin, "CREATE TABLE shop (id int)")
    with (
        psycopg.connect(owned.admin, autocommit=True, application_name="pgrehearse db up") as change,
        psycopg.connect(owned.admin, autocommit=True, application_name="shop") as other,
    ):
        change.execute("SELECT pg_advisory_lock(%s, %s)", RUNNER)
        change.execute("BEGIN")
        change.execute("LOCK TABLE shop")
        reader = threading.Thread(target=other.execute, args=["SELECT * FROM shop /* secret */"])
        reader.start()
        try:
            wait_until(lambda: bool(known(seen.fact("now")).waiting), "the reader waits")
            value = known(seen.fact("now"))
            (one,) = value.changes
            assert (one.kind, one.pid, one.application) == (
                "migration",
                change.info.backend_pid,
                "pgrehearse db up",
            )
            (waiting,) = value.waiting
            assert waiting.blockers == (change.info.backend_pid,)
            assert (waiting.relation, waiting.mode, waiting.statement) == (
                "public.shop",
                "AccessShareLock",
                "SELECT",
            )
            (blocker,) = value.blockers
            assert (blocker.state, blocker.statement) == ("idle in transaction", "LOCK TABLE")
            monkeypatch.setattr(activity, "_PATIENCE", timedelta(hours=1))
            assert seen.said("now") == []
            monkeypatch.setattr(activity, "_PATIENCE", timedelta())
            (said,) = seen.said("now")
            assert "waits for public.shop for " in said
            assert f"behind pid {change.info.backend_pid}" in said
        finally:
            change.execute("ROLLBACK")
            reader.join()


def test_the_progress_of_a_build(seen: Seen, owned: Owned) -> None:
    execute(owned.admin, "CREATE TABLE shop (id int)")
    with (
        psycopg.connect(owned.admin, autocommit=True) as change,
        psycopg.connect(owned.admin) as other,
    ):
        other.execute("INSERT INTO shop VALUES (1)")
        change.execute("SELECT pg_advisory_lock(%s, %s)", RUNNER)
        build = threading.Thread(target=change.execute, args=["CREATE INDEX CONCURRENTLY i ON shop (id)"])
        build.start()
        try:
            wait_until(
                lambda: any(one.progress for one in known(seen.fact("now")).changes), "its progress is said"
            )
            assert seen.fact("leftovers").said == "none"  # INVALID, and being built
        finally:
            other.rollback()
            build.join()


def test_leftovers(seen: Seen, owned: Owned) -> None:
    execute(
        owned.admin,
        """
        CREATE TABLE shop (id int, price int, price_new bigint);
        INSERT INTO shop VALUES (1), (1);
        ALTER TABLE shop ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
        CREATE FUNCTION shop_price_sync() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER zz_price_sync BEFORE INSERT ON shop FOR EACH ROW EXECUTE FUNCTION shop_price_sync();
        CREATE TRIGGER audited BEFORE INSERT ON shop FOR EACH ROW EXECUTE FUNCTION shop_price_sync();
        ALTER TABLE shop DISABLE TRIGGER audited;
        """,
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        execute(owned.admin, "CREATE UNIQUE INDEX CONCURRENTLY one_id ON shop (id)")
    assert seen.said("leftovers") == [
        "trigger audited on public.shop is disabled",
        "index one_id on public.shop is INVALID: no query uses it",
        "constraint positive on public.shop is NOT VALID: rows that were there before may break it",
        "column public.shop.price_new is there for the time of a change",
        "trigger zz_price_sync on public.shop still keeps columns in step",
    ]


_TRIGGER = """
CREATE FUNCTION "a b".f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON "a b"."T" FOR EACH ROW EXECUTE FUNCTION "a b".f();
ALTER TABLE "a b"."T" {} TRIGGER t
"""


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ('ALTER TABLE "a b"."T" ADD CONSTRAINT c CHECK (id > 0) NOT VALID', "constraint c "),
        ('ALTER DOMAIN "a b".d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID', "constraint c "),
        ('ALTER TABLE "a b"."T" ADD FOREIGN KEY (id) REFERENCES "a b"."T" NOT VALID', "constraint "),
        (_TRIGGER.format("DISABLE"), "trigger t on "),
        (_TRIGGER.format("ENABLE REPLICA"), "trigger t on "),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"a b\".i'::regclass", "index i on "),
        (_TRIGGER.replace("TRIGGER t", "TRIGGER zz_id_sync").replace("f()", "x_sync()").format("ENABLE"),
         "trigger zz_id_sync on "),
    ],
)  # fmt: skip
def test_each_leftover_is_found_where_it_is_the_only_one(
    seen: Seen, owned: Owned, made: str, said: str
) -> None:
    execute(
        owned.admin,
        'CREATE SCHEMA "a b"; CREATE DOMAIN "a b".d AS int; CREATE TABLE "a b"."T" (id int PRIMARY KEY);'
        ' CREATE INDEX i ON "a b"."T" (id)',
    )
    assert seen.said("leftovers") == []
    execute(owned.admin, made)
    (one,) = seen.said("leftovers")
    assert one.startswith(said)
    assert '"a b".' in one


def test_what_is_not_enforced_is_left_over(seen: Seen, owned: Owned) -> None:
    """Since 18; the plain question first asks for NOT VALID only, which it is as well."""
    if owned.server.major < 18:
        pytest.skip("PostgreSQL 18 and later")
    execute(owned.admin, "CREATE TABLE shop (id int, CONSTRAINT c CHECK (id > 0) NOT ENFORCED)")
    assert seen.said("leftovers") == ["constraint c on public.shop is NOT ENFORCED"]


def test_runs_of_runbooks(seen: Seen, owned: Owned) -> None:
    with psycopg.connect(owned.admin, autocommit=True) as connection:
        create(connection, "runs")
    run = (
        "INSERT INTO pgrehearse.run (runbook, work, given, parameters, phases, environment, place, outcome)"
        " VALUES ('{}', '', '{}', '{{}}', '{}', 'staging', '', '{}')"
    )
    everything = "{Preflight,Apply,Verify}"
    for book, given, phases, outcome in [
        ("a.md", "x", everything, "stopped"),
        ("b.md", "x", everything, "stopped"),
        ("b.md", "x", everything, "done"),
        ("c.md", "x", "{Apply}", "done"),
        ("c.md", "y", everything, "done"),
        ("d.md", "x", everything, "running"),
    ]:
        execute(owned.admin, run.format(book, given, phases, outcome))
    said = seen.said("leftovers")
    assert [(one.split()[3], one.split(" on ")[1].split(" ", 2)[2]) for one in said] == [
        ("d.md", "says that it is running, and nobody is"),
        ("c.md", "was applied and not verified"),
        ("a.md", "stopped before its end"),
    ]


_EVIL = """
CREATE FUNCTION public.evil() RETURNS text LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'evil ran as %', current_user; END $$;
"""


def test_what_the_owner_puts_in_the_place_of_a_table_does_not_run_as_whoever_looks(
    seen: Seen, owned: Owned
) -> None:
    """A view runs as its reader: a superuser who asks for the status would do what the owner wrote."""
    execute(
        owned.dsn,
        _EVIL + "CREATE SCHEMA pgrehearse; CREATE VIEW pgrehearse.run AS SELECT 1 AS id, evil() AS runbook,"
        " '' AS given, '{}'::text[] AS phases, now() AS started, 'stopped' AS outcome, 'x' AS who",
    )
    assert seen.unknown()["leftovers"].startswith(
        "refused: the ledger of runs cannot be trusted: pgrehearse.run"
    )
    with pytest.raises(psycopg.errors.RaiseException, match="evil ran as postgres"):
        execute(owned.admin, "SELECT * FROM pgrehearse.run")


def test_a_schema_that_the_owner_calls_that_of_promotions_is_not_believed(seen: Seen, owned: Owned) -> None:
    seen.place = place_of(seen.dsn, without=(), mark="production")
    assert "promotion" not in seen.unknown()
    execute(owned.dsn, _EVIL + "CREATE SCHEMA pgrehearse_promotion")
    columns = "approvals, soak, gates, requesters, approvers, runners, viewers, installed_at, environment"
    views = "".join(
        f"CREATE VIEW pgrehearse_promotion.{name} AS SELECT "
        + ", ".join(f"evil() AS {column.strip()}" for column in columns.split(","))
        + ";"
        for name in ("setting", "promotion", "approval", "audit")
    )
    execute(owned.dsn, views)
    assert seen.unknown()["promotion"] == (
        f"refused: the schema pgrehearse_promotion belongs to {owned.owner}, so nothing of it is believed"
    )


def test_a_cast_of_somebodys_own_is_not_used_where_a_table_is_looked_for_elsewhere(
    seen: Seen, owned: Owned
) -> None:
    """dbmate's table may lie in any schema; its version is text in all that dbmate makes."""
    execute(owned.dsn, _EVIL + "CREATE TYPE public.mine AS ENUM ('1')")
    execute(
        owned.dsn,
        "CREATE FUNCTION public.evil(public.mine) RETURNS text LANGUAGE sql AS 'SELECT public.evil()';"
        "CREATE CAST (public.mine AS text) WITH FUNCTION public.evil(public.mine);"
        "CREATE SCHEMA shop; CREATE TABLE shop.schema_migrations (version public.mine);"
        "INSERT INTO shop.schema_migrations VALUES ('1')",
    )
    with pytest.raises(psycopg.errors.RaiseException, match="evil ran as postgres"):
        execute(owned.admin, "SELECT version::text FROM shop.schema_migrations")
    unknown = seen.unknown()
    execute(
        owned.admin, "DROP TYPE public.mine CASCADE; DROP FUNCTION public.evil()"
    )  # by one who may do both
    assert "migrations" not in unknown


def test_a_type_of_somebodys_own_is_not_cast_by_whoever_looks(seen: Seen, owned: Owned) -> None:
    seen.migration(1, "SELECT 1;")
    seen.up()
    assert "migrations" not in seen.unknown()
    execute(owned.admin, f"ALTER TABLE public.schema_migrations OWNER TO {owned.owner}")
    execute(
        owned.dsn,
        "CREATE TYPE public.mine AS ENUM ('1');"
        "ALTER TABLE public.schema_migrations"
        " ALTER version TYPE public.mine USING version::text::public.mine",
    )
    said = seen.unknown()["migrations"]
    assert "has a type that is not PostgreSQL's own in the column version" in said
    execute(
        owned.dsn,
        "ALTER TABLE public.schema_migrations ALTER version TYPE varchar(128) USING version::text,"
        " ADD COLUMN note public.mine",
    )
    assert "migrations" not in seen.unknown()  # a column that nobody here reads


def test_what_would_hold_a_change_up(seen: Seen, owned: Owned, monkeypatch: pytest.MonkeyPatch) -> None:
    slot = owned.owner  # of the server, not of the database
    execute(owned.admin, f"SELECT pg_create_physical_replication_slot('{slot}', true)")
    try:
        with psycopg.connect(owned.admin) as old:
            old.execute("SELECT 1")
            monkeypatch.setattr(activity, "_OLD", timedelta(hours=1))
            assert seen.said("holding") == []
            monkeypatch.setattr(activity, "_OLD", timedelta())
            monkeypatch.setattr(activity, "_KEPT", -1)
            said = seen.said("holding")
            pid = old.info.backend_pid
        assert any(one.startswith(f"pid {pid} (postgres, idle in transaction) has") for one in said), said
        assert any(one.startswith(f"nobody reads the slot {slot}, which keeps") for one in said), said
    finally:
        execute(owned.admin, f"SELECT pg_drop_replication_slot('{slot}')")


def test_an_age_far_beyond_the_limit() -> None:
    value = activity.Holding((), (), 500_000_000, 200_000_000, 0)
    assert [one.said.split(";")[0] for one in value.findings] == [
        "the oldest row is 500,000,000 transactions old"
    ]
    assert activity.Holding((), (), 300_000_000, 200_000_000, 1).findings == []


def test_what_a_role_may_not_see_is_unknown_and_said(seen: Seen, owned: Owned) -> None:
    seen.migration(1, "CREATE TABLE shop (id int);")
    seen.up()
    assert seen.unknown(owned.dsn).keys() == {"migrations", "last", "drift", "leftovers", "holding"}
    facts = seen.facts(owned.dsn)
    rights = known(facts["rights"])
    assert rights.user == owned.owner
    assert rights.may_not == (
        "sessions of other roles",
        "pgrehearse.attempt",
        "pgrehearse.statement",
        "public.schema_migrations",
    )
    holding, ledger = facts["holding"], facts["migrations"]
    assert isinstance(holding, Unknown)
    assert holding.next_step == f"GRANT pg_read_all_stats TO {owned.owner}, as a role that may"
    assert isinstance(ledger, Unknown)
    assert "permission denied" in ledger.reason
    execute(owned.admin, f"GRANT pg_read_all_stats, pg_read_all_data TO {owned.owner}")
    assert seen.unknown(owned.dsn).keys() == {"drift"}


def test_hostile_names_are_data(seen: Seen, owned: Owned) -> None:
    name = "<b>\x1b[2J\u202e'\"&"
    quoted = '"' + name.replace('"', '""') + '"'
    execute(owned.admin, f"CREATE TABLE {quoted} (id int)")
    execute(owned.admin, f"ALTER TABLE {quoted} ADD CONSTRAINT {quoted} CHECK (id > 0) NOT VALID")
    (said,) = seen.said("leftovers")
    assert name.replace('"', '""') in said
