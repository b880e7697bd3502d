"""Applying and undoing: what is recorded, what is refused, what is tried again."""

from __future__ import annotations

import subprocess
import sys
import threading

import psycopg
import pytest

from pgrehearse.errors import DocumentError, ExpectationError, SetupError
from pgrehearse.execution.backoff import Backoff
from pgrehearse.migration.runner.runner import RunnerOptions
from pgrehearse.text import migration_files
from support.places import Place
from support.waiting import LIMIT, wait_until

TABLE = "CREATE TABLE thing (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);"
ROWS = "INSERT INTO thing SELECT generate_series(1, 500);"


def test_applies_in_order_and_records_what_each_statement_cost(place: Place) -> None:
    place.write(1, TABLE, "DROP TABLE thing;")
    place.write(2, ROWS + "\nALTER TABLE thing ALTER n TYPE bigint;", "DELETE FROM thing;")
    assert [done.migration.version for done in place.up()] == ["1", "2"]
    assert place.applied() == ["1", "2"]
    first, second = place.attempts()
    assert (first.outcome, second.outcome, second.who) == ("done", "done", "postgres")
    insert, alter = second.statements
    assert (insert.rows, insert.rewritten, insert.line, insert.tries) == (500, (), 3, 1)
    assert (alter.rows, alter.rewritten, alter.line) == (None, ("thing",), 4)
    assert insert.wal_bytes is not None and insert.wal_bytes > 500
    assert place.up() == []


def test_goes_to_a_version_and_no_further(place: Place) -> None:
    for version in (1, 2, 3):
        place.write(version, "SELECT 1;")
    place.up(to="2")
    assert place.applied() == ["1", "2"]
    assert "no migration has the version 9" in str(place.refused(SetupError, to="9"))


def test_undoes_steps_and_back_to_a_version(place: Place) -> None:
    for version in (1, 2, 3, 4):
        place.write(version, f"CREATE TABLE t{version} ();", f"DROP TABLE t{version};")
    place.up()
    place.down()
    assert place.applied() == ["1", "2", "3"]
    place.down(steps=2)
    assert place.applied() == ["1"]
    place.up()
    place.down(to="2")
    assert place.applied() == ["1", "2"]
    place.down(to="0")
    assert place.applied() == []
    assert place.one("SELECT count(*) FROM pg_class WHERE relname ~ '^t[1-4]$'") == 0


def test_no_down_part_is_refused_before_anything_is_undone(place: Place) -> None:
    place.write(1, "SELECT 1;", None)
    place.write(2, "CREATE TABLE t ();", "DROP TABLE t;")
    place.up()
    with pytest.raises(SetupError, match="no `-- migrate:down` part"):
        place.down(steps=2)
    assert place.applied() == ["1", "2"]


def test_a_dry_run_changes_nothing(place: Place) -> None:
    place.write(1, TABLE)
    status, out, _ = place.command("up", "--dry-run")
    assert (status, out) == (0, "would apply 1_step\n1 to apply\n")
    assert place.one("SELECT to_regnamespace('pgrehearse')") is None
    assert place.command("up", "--dry-run", "--to", "7")[0] == SetupError.exit_code


# What must not be: each with the name of the file.


def test_an_edited_migration_is_refused(place: Place) -> None:
    file = place.write(1, TABLE)
    place.up()
    file.write_text(file.read_text("utf-8").replace("DEFAULT 0", "DEFAULT 1"), "utf-8")
    place.write(2, "SELECT 1;")
    error = place.refused(ExpectationError)
    assert error.message == "refused: 1_step was edited after it was applied"
    assert error.path == file
    assert place.applied() == ["1"]


def test_a_deleted_migration_is_refused(place: Place) -> None:
    file = place.write(1, TABLE)
    place.up()
    file.unlink()
    assert "1 is applied, but its file is gone" in str(place.refused(ExpectationError))


def test_a_late_migration_is_refused(place: Place) -> None:
    place.write(2, TABLE)
    place.up()
    place.write(1, "SELECT 1;")
    assert "1_step is older than a migration that is applied already" in str(place.refused(ExpectationError))
    assert place.applied() == ["2"]


def test_a_new_number_is_a_new_migration_and_other_words_are_not(place: Place) -> None:
    file = place.write(1, TABLE)
    place.up()
    file = file.rename(file.with_name("1_other_words.sql"))
    assert place.up() == []
    file.rename(file.with_name("3_step.sql"))
    assert "1 is applied, but its file is gone" in str(place.refused(ExpectationError))


def test_a_duplicate_version_is_refused(place: Place) -> None:
    place.write(1, TABLE, name="one")
    place.write(1, TABLE, name="two")
    assert "1_one.sql has the same version" in str(place.refused(DocumentError))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1;\nCOMMIT;", "COMMIT: the runner begins and ends transactions"),
        ("SELECT 1;\nEND;", "END: the runner begins and ends transactions"),
        ("SELECT 1;\n/* x */ ROLLBACK AND CHAIN;", "ROLLBACK: the runner begins"),
        ("SELECT 1;\nPREPARE TRANSACTION 'x';", "PREPARE TRANSACTION: the runner begins"),
        ("SELECT 1;\nSELECT 'SELECT 1' \\gexec", "\\gexec is a command of psql"),
        ("SELECT 1;\n\\i other.sql", "psql command \\i is not SQL"),
        ("SELECT 1;\nVACUUM;", "this statement refuses a transaction"),
        ("SELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (a);", "this statement refuses a transaction"),
        ("SELECT 1;\nDISCARD ALL;", "gives up the lock"),
        ("SELECT 1;\nSELECT 'x", "unterminated quote"),
        ("transaction:false\nSELECT 1;\nCREATE INDEX CONCURRENTLY ON t (a);", "this index has no name"),
        ("transaction:false\nSELECT 1;\nCREATE TEMP TABLE t (a int);", "a temporary table is gone"),
    ],
)
def test_a_file_that_cannot_be_run_is_refused_before_anything(place: Place, text: str, said: str) -> None:
    place.write(1, TABLE)
    file = place.write(2, text)
    error = place.refused(DocumentError)
    assert said in error.message
    assert (error.path, error.line) == (file, 4)
    assert place.applied() == []


def test_savepoints_are_the_migrations_own(place: Place) -> None:
    place.write(1, f"{TABLE} SAVEPOINT a; DROP TABLE thing; ROLLBACK TO SAVEPOINT a; RELEASE a;")
    place.up()
    assert place.one("SELECT to_regclass('thing')::text") == "thing"


def test_a_failed_transaction_leaves_nothing_but_its_record(place: Place) -> None:
    place.write(1, f"{TABLE}\nSELECT 1 / 0;")
    error = place.refused(ExpectationError)
    assert "division by zero (22012)" in error.message and error.line == 4
    assert place.applied() == [] and place.one("SELECT to_regclass('thing')") is None
    (attempt,) = place.attempts()
    assert (attempt.outcome, attempt.error) == ("failed", "division by zero (22012)")
    assert [cost.outcome for cost in attempt.statements] == ["rolled back", "failed"]
    place.write(1, TABLE)
    place.up()
    assert [attempt.outcome for attempt in place.attempts()] == ["failed", "done"]


# Locks.


def test_waits_for_a_lock_in_short_tries_until_it_gets_it(place: Place) -> None:
    place.write(1, TABLE)
    place.up()
    place.write(2, "ALTER TABLE thing ADD COLUMN more int;")
    with psycopg.connect(place.dsn) as reader:
        reader.execute("SELECT count(*) FROM thing")
        backoff = Backoff(9, lambda seconds: reader.rollback())
        place.up(options=RunnerOptions(lock_timeout="200ms", backoff=backoff, wait=1))
    assert "no lock within 200ms, nothing is changed (55P03); try 2 of 9 in 0.5 s" in place.told
    assert place.applied() == ["1", "2"]
    (cost,) = place.attempts()[-1].statements
    assert cost.tries == 2 and cost.lock_wait_ms is not None and cost.lock_wait_ms > 100


def test_gives_up_after_the_last_try_and_says_so(place: Place) -> None:
    place.write(1, TABLE)
    place.up()
    place.write(2, "ALTER TABLE thing ADD COLUMN more int;")
    with place.session() as reader:
        reader.execute("SELECT count(*) FROM thing")
        pauses: list[float] = []
        patience = RunnerOptions(lock_timeout="50ms", backoff=Backoff(3, pauses.append))
        error = place.refused(ExpectationError, options=patience)
    assert "canceling statement due to lock timeout (55P03)" in error.message
    (cost,) = place.attempts()[-1].statements
    assert (cost.outcome, cost.tries, pauses) == ("failed", 3, [0.5, 1.0])
    assert place.applied() == ["1"]


def test_a_statement_that_needs_no_transaction_gives_up_in_the_queue_too(place: Place) -> None:
    place.write(1, TABLE)
    place.write(2, "transaction:false\nVACUUM (FULL) thing;")
    place.up(to="1")
    with place.session() as reader:
        reader.execute("SELECT count(*) FROM thing")
        assert "(55P03)" in place.refused(ExpectationError).message
    place.up()
    assert place.attempts()[-1].statements[0].rewritten == ("thing",)


def test_the_victim_of_a_deadlock_is_tried_again(place: Place) -> None:
    place.write(1, "CREATE TABLE a (n int); CREATE TABLE b (n int);")
    place.up()
    place.write(2, "LOCK TABLE a; SELECT pg_sleep_for('1ms'); ALTER TABLE b ADD COLUMN m int;")
    other = psycopg.connect(place.dsn)
    other.execute("SET deadlock_timeout = '1min'")  # the other side is never the victim
    other.execute("LOCK TABLE b")
    patient = RunnerOptions(lock_timeout="20s", backoff=Backoff(3), wait=1)
    run = threading.Thread(target=place.up, kwargs={"options": patient})
    run.start()
    wait_until(lambda: place.running("ALTER TABLE b", waits=True), "the runner waits for b")
    other.execute("LOCK TABLE a")  # closes the circle; the runner is canceled and lets go of a
    wait_until(lambda: any("40P01" in line for line in place.told), "deadlock")
    other.rollback()
    other.close()
    run.join(LIMIT)
    assert place.applied() == ["1", "2"]


# What a migration does to its session.


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_the_ledger_is_written_whatever_role_and_path_a_migration_takes(place: Place, side: str) -> None:
    place.write(
        1,
        f"{side}CREATE ROLE {place.one('SELECT current_database()')}_app;\n"
        f"GRANT CREATE ON SCHEMA public TO {place.one('SELECT current_database()')}_app;\n"
        f"SET ROLE {place.one('SELECT current_database()')}_app;\n"
        "SET search_path = '';\nCREATE TABLE public.owned ();\nCREATE TABLE public.owned_too ();",
    )
    place.write(2, "CREATE TABLE ours ();")
    role = f"{place.one('SELECT current_database()')}_app"
    try:
        place.up()
        owners = dict(
            place.execute(
                "SELECT relname, relowner::regrole::text FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'public'::regnamespace"
            )
        )
        assert owners["owned"] == owners["owned_too"] == role
        assert owners["ours"] == "postgres"
    finally:
        place.execute(f"DROP OWNED BY {role}; DROP ROLE {role};")


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_session_authorization_comes_back_for_the_next_statement(place: Place, side: str) -> None:
    role = f"{place.one('SELECT current_database()')}_app"
    place.execute(f"CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role};")
    try:
        place.write(1, f"{side}SET SESSION AUTHORIZATION {role};\nCREATE TABLE a ();\nCREATE TABLE b ();")
        place.up()
        assert place.one("SELECT count(*) FROM pg_class WHERE relowner::regrole::text ~ '_app'") == 2
        assert {attempt.who for attempt in place.attempts()} == {"postgres"}
    finally:
        place.execute(f"DROP OWNED BY {role}; DROP ROLE {role};")


def test_settings_of_one_migration_do_not_reach_the_next(place: Place) -> None:
    place.write(1, "transaction:false\nSET work_mem = '77MB';\nSET lock_timeout = '3s';")
    place.write(2, "CREATE TABLE seen AS SELECT current_setting('work_mem') AS w;")
    place.up()
    assert place.one("SELECT w FROM seen") != "77MB"


def test_a_role_without_the_right_to_keep_a_ledger_is_told_what_it_lacks(place: Place) -> None:
    role = f"{place.one('SELECT current_database()')}_poor"
    place.execute(f"CREATE ROLE {role} LOGIN;")
    place.write(1, TABLE)
    try:
        poor = psycopg.conninfo.make_conninfo(place.dsn, user=role)
        with pytest.raises(SetupError) as error:
            Place(poor, place.root).up()
        assert f'the role "{role}" cannot keep the ledger: permission denied' in error.value.message
        database = place.one("SELECT current_database()")
        assert f'GRANT CREATE ON DATABASE "{database}" TO "{role}"' in str(error.value.next_step)
        place.execute(
            f"GRANT CREATE ON DATABASE {database} TO {role}; GRANT CREATE ON SCHEMA public TO {role};"
        )
        Place(poor, place.root).up()
        assert place.applied() == ["1"]
    finally:
        place.execute(f"DROP OWNED BY {role}; DROP ROLE {role};")


# Names and texts that want to be something else.


def test_hostile_names_are_names(place: Place) -> None:
    nasty = 'ta"ble; DROP TABLE pgrehearse.attempt; --'
    quoted = psycopg.sql.Identifier(nasty).as_string()
    index = psycopg.sql.Identifier("i'x; %s {} \\").as_string()
    place.write(1, f"CREATE TABLE {quoted} (a int);")
    place.write(2, f"transaction:false\nCREATE INDEX CONCURRENTLY {index} ON {quoted} (a);")
    place.write(
        3, f"INSERT INTO {quoted} VALUES (1); ALTER TABLE {quoted} ALTER a TYPE bigint; SELECT '%s %%';"
    )
    place.up()
    assert place.attempts()[-1].statements[1].rewritten == (quoted,)
    assert place.invalid() == []


@pytest.mark.parametrize("name", ["1_a b.sql", "1_x;rm.sql", "x_1.sql", "1.sql"])
def test_hostile_file_names_are_refused(place: Place, name: str) -> None:
    (place.root / "db" / "migrations" / name).write_text("-- migrate:up\nSELECT 1;\n", "utf-8")
    with pytest.raises(DocumentError, match="a migration's name is digits"):
        migration_files.load(place.root / "db" / "migrations")


def test_passwords_reach_neither_ledger_nor_message(place: Place) -> None:
    role = f"{place.one('SELECT current_database()')}_secret"
    place.write(
        1,
        f"CREATE ROLE {role} PASSWORD 'hunter22';\n"
        f"DO $$ BEGIN EXECUTE 'ALTER ROLE {role} PASSWORD ''hunter22'''; END $$;\n"
        "SELECT 'postgresql://me:hunter22@nowhere/x';",
    )
    place.write(2, f"ALTER ROLE {role} PASSWORD 'hunter22' 'hunter22';")
    try:
        error = place.refused(ExpectationError)
        ledger = str(place.execute("SELECT * FROM pgrehearse.statement, pgrehearse.attempt"))
        assert "hunter22" not in ledger + str(error) and "***" in ledger
        assert place.one(f"SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = '{role}'")
    finally:
        place.execute(f"DROP ROLE {role};")


@pytest.mark.parametrize("words", [["up"], ["rollback"], ["status"], ["timing"]])
def test_no_error_about_a_connection_holds_its_password(place: Place, words: list[str]) -> None:
    place.write(1, TABLE)
    for dsn in ("postgresql://me:hunter22@127.0.0.1:1/x", "postgresql://me:hunter22@x@127.0.0.1:1/x"):
        status, out, err = Place(dsn, place.root, processes=place.processes).command(*words)
        assert status == SetupError.exit_code
        assert "next:" in err and "hunter22" not in out + err


# dbmate's table.


def test_what_dbmate_applied_is_adopted_and_an_edit_is_noticed_from_then_on(place: Place) -> None:
    file = place.write(1, TABLE)
    place.execute(
        "CREATE TABLE public.schema_migrations (version varchar(128) PRIMARY KEY);"
        f" INSERT INTO public.schema_migrations VALUES ('1'); {TABLE}"
    )
    place.write(2, "SELECT 1;")
    assert [done.migration.version for done in place.up()] == ["2"]
    assert [(a.version, a.outcome) for a in place.attempts()] == [("1", "adopted"), ("2", "done")]
    assert not [line for line in place.told if "NOTICE" in line]
    file.write_text(file.read_text("utf-8") + "-- later\n", "utf-8")
    assert "1_step was edited after it was applied" in str(place.refused(ExpectationError))


def test_a_table_of_versions_in_another_schema_is_refused(place: Place) -> None:
    place.write(1, TABLE)
    place.execute(
        "CREATE SCHEMA app; CREATE TABLE app.schema_migrations (version varchar(128) PRIMARY KEY);"
        " INSERT INTO app.schema_migrations VALUES ('1');"
    )
    error = place.refused(SetupError)
    assert "app.schema_migrations says that 1 of these migrations are applied" in error.message
    assert 'ALTER TABLE "app"."schema_migrations" SET SCHEMA public' in str(error.next_step)
    assert place.command("status")[0] == SetupError.exit_code
    place.execute("UPDATE app.schema_migrations SET version = '77'")  # another application's
    place.up()
    assert place.applied() == ["1"]


# The command.


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_rollback_is_refused_outside_development(place: Place, environment: str) -> None:
    place.write(1, TABLE, "DROP TABLE thing;")
    place.up()
    place.mark(environment)
    status, _, err = place.command("rollback", "--environment", environment)
    assert status == SetupError.exit_code
    assert f"is {environment}; a down part deletes what came since" in err
    assert place.one("SELECT to_regclass('thing')::text") == "thing"


def test_the_command_names_files_as_they_are_seen_from_here(place: Place) -> None:
    place.write(1, "SELECT 1 / 0;")
    status, _, err = place.command("up")
    assert status == 1
    assert "error: db/migrations/1_step.sql:3: 1_step (up) failed: division by zero (22012)" in err


def test_rollback_takes_one_limit(place: Place) -> None:
    place.write(1, TABLE)
    assert place.command("rollback", "--to", "0", "--steps", "1")[0] == 2


def test_new_writes_a_file_that_up_takes(place: Place) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pgrehearse", "db", "new", "Add a thing!"],
        cwd=place.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("_add_a_thing.sql\n")
    assert [done.migration.name for done in place.up()] == ["add_a_thing"]
