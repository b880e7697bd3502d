"""The ledger attacked: dropped, edited, hidden, replaced; by others, and by the migrations themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.connections import connect
from pgrehearse.errors import ExpectationError, PgRehearseError, SetupError
from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.migration.runner import versions
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.migration.runner.own_session import ours
from pgrehearse.migration.timing import costs
from support.places import Place
from support.waiting import LIMIT, wait_until

TABLE = "CREATE TABLE thing (id int);"
ROW = "INSERT INTO thing VALUES (1);"

#: What is done to the ledger -> what the refusal says.
ATTACKS = {
    "DROP TABLE public.schema_migrations": "public.schema_migrations is gone, and pgrehearse.attempt says",
    "DROP TABLE pgrehearse.statement": "pgrehearse.statement is gone",
    "DROP TABLE pgrehearse.attempt CASCADE": "pgrehearse.attempt is gone",
    "DELETE FROM public.schema_migrations WHERE version = '2'": "2_step is applied according to",
    "TRUNCATE public.schema_migrations": "1_step is applied according to",
    "ALTER TABLE public.schema_migrations RENAME TO hidden; CREATE VIEW public.schema_migrations AS"
    " SELECT * FROM public.hidden WHERE version = '1'": "public.schema_migrations is a view",
    "ALTER TABLE public.schema_migrations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY": (
        "public.schema_migrations has row security"
    ),
    "ALTER TABLE pgrehearse.attempt ENABLE ROW LEVEL SECURITY": "pgrehearse.attempt has row security",
    "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER"
    " quiet BEFORE INSERT ON public.schema_migrations FOR EACH ROW EXECUTE FUNCTION nothing()": (
        "has the trigger quiet"
    ),
    "CREATE RULE quiet AS ON INSERT TO pgrehearse.statement DO INSTEAD NOTHING": "has the rule quiet",
    "CREATE TABLE more () INHERITS (public.schema_migrations)": "inherits, or is inherited from",
    "ALTER TABLE pgrehearse.statement SET UNLOGGED": "is UNLOGGED",
    "ALTER TABLE public.schema_migrations DROP CONSTRAINT schema_migrations_pkey": "has lost its primary key",
    "ALTER TABLE pgrehearse.attempt DROP COLUMN sha256": "lacks the column sha256",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_ledger_that_is_none_is_refused_by_name(place: Place, attack: str) -> None:
    place.write(1, TABLE, "DROP TABLE thing;")
    place.write(2, ROW, "DELETE FROM thing;")
    place.up()
    place.execute(attack)
    place.write(3, ROW)
    for refused in (
        place.up,
        place.down,
        lambda: versions.check(versions.read(place.dsn, place.migrations())),
    ):
        with pytest.raises(PgRehearseError) as error:
            refused()
        assert "refused: " in error.value.message and ATTACKS[attack] in error.value.message
        assert error.value.next_step
    assert place.one("SELECT count(*) FROM thing") == 1


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
@pytest.mark.parametrize("attack", [text for text in ATTACKS if "version = '2'" not in text])
def test_a_migration_that_does_it_is_refused_and_named(place: Place, attack: str, side: str) -> None:
    place.write(1, TABLE)
    place.up()
    file = place.write(2, f"{side}{attack};\n{ROW}")
    with pytest.raises(PgRehearseError) as error:
        place.up()
    assert error.value.path == file
    with pytest.raises(PgRehearseError):  # it does not come through the second time either
        place.up()


REWRITING = [
    "DELETE FROM public.schema_migrations; DELETE FROM pgrehearse.attempt WHERE version = '1'",
    "UPDATE pgrehearse.attempt SET version = '9' WHERE version = '1'",
    "DO $$BEGIN EXECUTE 'UPDATE pgrehearse.attempt SET sha256 = version'; END$$",
    "UPDATE pgrehearse.statement SET outcome = 'failed'",
]


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
@pytest.mark.parametrize("attack", REWRITING)
def test_a_migration_that_rewrites_what_was_done_is_refused(place: Place, attack: str, side: str) -> None:
    place.write(1, TABLE)
    place.up()
    before = place.attempts()
    file = place.write(2, f"{side}{attack};\n{ROW}")
    error = place.refused(SetupError)
    assert "this migration changes pgrehearse." in error.message
    assert error.path == file
    assert place.attempts()[:1] == before
    place.refused(PgRehearseError)


def test_what_another_tool_undid_is_refused_until_somebody_says_so(place: Place) -> None:
    place.write(1, TABLE)
    place.write(2, ROW, "DELETE FROM thing;")
    place.up()
    place.execute("DELETE FROM thing; DELETE FROM public.schema_migrations WHERE version = '2'")
    step = str(place.refused(ExpectationError).next_step)
    place.execute(step[step.index("INSERT INTO") :])
    place.up()
    assert place.applied() == ["1", "2"] and place.one("SELECT count(*) FROM thing") == 1
    assert [one.version for one in costs.read(place.dsn)] == ["1", "2"]


def test_versions_without_a_file_may_leave_dbmates_table(place: Place) -> None:
    """A squashed history: one file takes the place of those that are applied."""
    file = place.write(1, TABLE)
    place.up()
    file.unlink()
    place.write(2, TABLE)
    place.execute("UPDATE public.schema_migrations SET version = '2'")
    assert place.up() == []
    place.write(3, ROW)
    place.up()
    assert place.applied() == ["2", "3"]


def test_what_another_tool_applied_again_is_taken_over_with_its_new_hash(place: Place) -> None:
    place.write(1, TABLE, "DROP TABLE thing;")
    place.up()
    place.down()
    place.write(1, "CREATE TABLE other ();", "DROP TABLE other;")
    place.execute("CREATE TABLE other (); INSERT INTO public.schema_migrations VALUES ('1')")
    assert place.up() == []
    assert place.attempts()[-1].outcome == "adopted"


def test_row_security_hides_nothing_from_the_owner_of_the_ledger(place: Place) -> None:
    """FORCE makes even the owner see no rows; a superuser would not notice."""
    with role(place, "owner") as name:
        place.execute(
            f"GRANT CREATE ON DATABASE {place.name} TO {name}; GRANT CREATE ON SCHEMA public TO {name}"
        )
        owned = Place(make_conninfo(place.dsn, user=name), place.root)
        owned.write(1, TABLE)
        owned.up()
        place.execute(
            "ALTER TABLE public.schema_migrations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        )
        assert "row security" in owned.refused(SetupError).message
        assert place.one("SELECT count(*) FROM pgrehearse.attempt") == 1


@contextmanager
def role(place: Place, suffix: str) -> Iterator[str]:
    name = f"{place.name}_{suffix}"
    place.execute(f"CREATE ROLE {name} LOGIN")
    try:
        yield name
    finally:
        place.execute(f"DROP OWNED BY {name}")
        place.execute(f"DROP ROLE {name}")


# The lock against a second runner, given up by what a migration calls.


def locks(place: Place) -> int:
    return int(
        place.one(
            f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = {RUNNER[0]}"
            f" AND objid = {RUNNER[1]} AND granted AND mode = 'ExclusiveLock'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    )


UNLOCK = "CREATE FUNCTION unlock() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_unlock_all()';"
GIVES_UP = {
    "in a function": "SELECT unlock();",
    "in a block": "DO $$ BEGIN PERFORM unlock(); END $$;",
    "in a block that commits": "DO $$ BEGIN PERFORM unlock(); COMMIT; END $$;",
    "in a trigger": "INSERT INTO fires VALUES (1);",
    "by its keys": f"SELECT pg_advisory_unlock({RUNNER[0]}, {RUNNER[1]});",
}


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
@pytest.mark.parametrize("how", GIVES_UP)
def test_no_second_runner_gets_in_when_the_lock_is_given_up(place: Place, how: str, side: str) -> None:
    if "commits" in how and not side:
        pytest.skip("refuses the transaction")
    place.execute(UNLOCK)
    place.write(
        1,
        f"{TABLE}\nCREATE TABLE fires (id int);\nCREATE FUNCTION fired() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN PERFORM unlock(); RETURN NULL; END';\nCREATE TRIGGER fired"
        " AFTER INSERT ON fires FOR EACH ROW EXECUTE FUNCTION fired();",
    )
    place.up()
    place.write(2, f"{side}{GIVES_UP[how]}\n{ROW}")
    with place.session() as holder:
        holder.execute("LOCK TABLE thing IN SHARE MODE")  # the row waits for it
        process = place.start("up", "--lock-timeout", "60s")
        wait_until(lambda: place.running("INSERT INTO thing", waits=True), "it has come to the row")
        assert locks(place) == 1
        status, _, err = place.command("up", "--wait", "0")
        assert status == SetupError.exit_code and "another runner is at work" in err
    _, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, err
    assert place.one("SELECT count(*) FROM thing") == 1
    assert place.applied() == ["1", "2"] and locks(place) == 0


def test_a_block_that_gives_the_lock_up_while_another_runner_takes_it_is_refused(place: Place) -> None:
    place.write(1, f"{TABLE}\nCREATE TABLE stop ();")
    place.execute(UNLOCK)
    place.up()
    file = place.write(2, "transaction:false\nDO $$ BEGIN PERFORM unlock(); COMMIT; LOCK TABLE stop; END $$;")
    with psycopg.connect(place.dsn, autocommit=True) as other, place.session() as holder:
        holder.execute("LOCK TABLE stop")
        process = place.start("up", "--lock-timeout", "60s")
        wait_until(lambda: place.running("unlock()", waits=True), "the block waits")
        assert other.execute("SELECT pg_try_advisory_lock(%s, %s)", RUNNER).fetchone() == (True,)
        holder.rollback()
        _, err = process.communicate(timeout=LIMIT)
    assert process.returncode == SetupError.exit_code
    assert "gave up the lock" in err and "pg_advisory_unlock_all()" in err
    assert file.name in err
    assert place.applied() == ["1"]


# Names and operators of ours, in front of which others stand.

HIJACK = """CREATE SCHEMA evil;
CREATE FUNCTION evil.yes(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION evil.no(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION evil.oids(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION evil.lsn(pg_lsn, pg_lsn) RETURNS numeric LANGUAGE sql AS 'SELECT -77';
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.yes);
CREATE OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.yes);
CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.no);
CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.oids);
CREATE OPERATOR evil.- (LEFTARG = pg_lsn, RIGHTARG = pg_lsn, FUNCTION = evil.lsn);
CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS $$SELECT '77'$$;
CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz';
CREATE TABLE evil.pg_class (x int);
"""


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_a_search_path_of_the_migration_reaches_nothing_of_ours(place: Place, side: str) -> None:
    place.write(1, HIJACK + TABLE.replace("id int", "id int, n int"))
    place.write(
        2,
        f"{side}SET search_path = evil, public, pg_catalog;\nINSERT INTO thing VALUES (1, 1);\n"
        "ALTER TABLE public.thing ALTER n TYPE pg_catalog.int8;",
    )
    place.up()
    attempt = place.attempts()[-1]
    assert (attempt.version, attempt.outcome) == ("2", "done") and attempt.finished is not None
    assert [cost.rewritten for cost in attempt.statements] == [(), (), ("thing",)]
    assert all(cost.wal_bytes is not None and cost.wal_bytes >= 0 for cost in attempt.statements)


def test_a_search_path_of_the_role_reaches_nothing_of_ours(place: Place) -> None:
    place.write(1, HIJACK + TABLE)
    place.up()
    with role(place, "led") as name:
        place.execute(
            f"ALTER ROLE {name} SUPERUSER; ALTER ROLE {name} SET search_path = evil, public, pg_catalog"
        )
        led = Place(make_conninfo(place.dsn, user=name), place.root)
        led.write(2, ROW)
        led.write(3, "transaction:false\nCREATE INDEX CONCURRENTLY thing_id ON public.thing (id);")
        led.up()
        assert place.applied() == ["1", "2", "3"]
        assert {attempt.outcome for attempt in place.attempts()} == {"done"}
        assert led.up() == []


def test_deferred_work_sees_the_migrations_own_role_and_path(place: Place) -> None:
    """It runs before the ledger is written, for which both are changed."""
    with role(place, "app") as name:
        place.execute(f"GRANT CREATE ON SCHEMA public TO {name}")
        place.write(
            1,
            f"{TABLE}\nCREATE SCHEMA app AUTHORIZATION {name};\nSET ROLE {name};\nSET search_path = app;\n"
            "CREATE TABLE seen (who text);\nCREATE TABLE part (id int);\n"
            "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN INSERT INTO seen VALUES (current_user); RETURN NULL; END';\n"
            "CREATE CONSTRAINT TRIGGER see AFTER INSERT ON part DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION see();\nINSERT INTO part VALUES (1);",
        )
        place.up()
        assert place.execute("SELECT who FROM app.seen") == [(name,)]


# Session settings that change what the text of a file means.


@pytest.mark.parametrize(
    "text",
    [
        "SET standard_conforming_strings = off;",
        "SET client_encoding = 'LATIN1';",
        "DO $$ BEGIN PERFORM set_config('client_encoding', 'LATIN1', false); END $$;",
    ],
)
@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_a_setting_by_which_the_file_would_be_read_differently_is_refused(
    place: Place, text: str, side: str
) -> None:
    if "standard" in text and place.one("SHOW server_version_num") >= "190000":
        pytest.skip("that setting is always on")
    file = place.write(1, f"{side}CREATE TABLE thing (t text);\n{text}\nINSERT INTO thing VALUES ('é\\');")
    error = place.refused(ExpectationError)
    assert (error.path, error.line) == (file, 4)
    assert "read differently" in error.message


def test_a_limit_on_idle_transactions_does_not_end_a_look(place: Place) -> None:
    """The time between two questions is ours; a database may allow a millisecond of it."""
    place.write(1, "CREATE TABLE thing ();")
    place.up()
    name = place.one("SELECT current_database()")
    place.execute(f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '1ms'")
    assert [one.state for one in versions.read(place.dsn, place.migrations())] == ["applied"]
    with connect(place.dsn, autocommit=True) as connection, ours(connection):
        row = connection.execute("SELECT current_setting('idle_in_transaction_session_timeout')").fetchone()
        assert row == ("0",)
        assert set(Ledger(connection).known().applied) == {"1"}


@pytest.mark.parametrize("rows", ["", "INSERT INTO schema_migrations VALUES (10, false)"])
def test_the_table_of_another_tool_is_refused_and_left_alone(place: Place, rows: str) -> None:
    """golang-migrate gives its table the name of dbmate's, with a number for a version."""
    place.write(1, TABLE, "DROP TABLE thing;")
    place.execute("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
    place.execute(rows or "SELECT")
    for refused in (place.up, lambda: versions.read(place.dsn, place.migrations())):
        with pytest.raises(SetupError, match="its version is a number") as error:
            refused()
        assert error.value.next_step
    assert place.one("SELECT to_regclass('thing') IS NULL AND to_regnamespace('pgrehearse') IS NULL")
    assert place.one("SELECT count(*) FROM schema_migrations") == bool(rows)


def test_a_role_that_passes_foreign_keys_by_is_refused(place: Place) -> None:
    """A migration that means it says so itself."""
    place.write(
        1, f"{TABLE} CREATE TABLE part (n int PRIMARY KEY); CREATE TABLE used (n int REFERENCES part);"
    )
    name = place.one("SELECT current_database()")
    place.execute(f"ALTER DATABASE {name} SET session_replication_role = replica")
    with pytest.raises(SetupError, match="session_replication_role is replica") as error:
        place.up()
    assert "SET LOCAL" in error.value.next_step
    place.execute(f"ALTER DATABASE {name} RESET session_replication_role")
    place.up()
    place.write(2, "SET LOCAL session_replication_role = replica; INSERT INTO used VALUES (1);")
    place.up()
    place.write(3, "INSERT INTO used VALUES (2);")
    with pytest.raises(ExpectationError, match="23503"):
        place.up()
