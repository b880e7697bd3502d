"""Applying and undoing: what is recorded, what is refused, what is tried again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pgrehearse.errors import DocumentError, ExpectationError, SetupError
from support.places import Place

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
