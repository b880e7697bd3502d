"""A runbook carried out by a program instead of the command line: everything it needs is in the package."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.connections import connect
from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.execution.backoff import Backoff
from pgrehearse.execution.runbook.run import carry_out
from support.databases import Database
from support.majors import LATER, LATER_SAID, OLD_STRINGS
from support.runbook_requests import GATE, Recorder, request, runbook_database


def test_everything_is_told_in_order(staging: Database, tmp_path: Path) -> None:
    recorder = Recorder()
    insert = "INSERT INTO trace (note) VALUES (:'label');"
    newer = f"```sql {LATER}\nSELECT 1;\n```"
    assert carry_out(request(staging, tmp_path, insert, newer, label="it's"), recorder)
    assert recorder.told == [
        ("starts", "at the top"),
        ("step", "Preflight 1/1", "SELECT 'ok' AS preflight;"),
        ("output", "Preflight 1/1", " preflight\n-----------\n ok\n(1 row)"),
        ("step", "Apply 1/2", "INSERT INTO trace (note) VALUES ('it''s');"),
        ("asks", "Apply 1/2"),
        ("output", "Apply 1/2", "INSERT 0 1"),
        ("step", "Apply 2/2", "SELECT 1;"),
        ("asks", "Apply 2/2"),
        ("skipped", "Apply 2/2", LATER_SAID),
        ("step", "Verify 1/1", "SELECT 'ok' AS verify;"),
        ("output", "Verify 1/1", " verify\n--------\n ok\n(1 row)"),
        ("finished", "done"),
    ]
    assert staging.trace() == ["it's"]


def test_no_ends_the_run_before_the_step_and_the_next_goes_on_there(
    staging: Database, tmp_path: Path
) -> None:
    asked = request(
        staging, tmp_path, "INSERT INTO trace (note) VALUES ('1');", "INSERT INTO trace (note) VALUES ('2');"
    )
    recorder = Recorder(no="Apply 2/2")
    assert not carry_out(asked, recorder)
    assert recorder.told[-1] == ("stopped", "Apply 2/2")
    assert staging.trace() == ["1"]
    (log,) = asked.logs.iterdir()
    last = json.loads(log.read_text("utf-8").splitlines()[-1])
    assert (last["event"], last["error"]) == ("stopped", "Declined")
    again = Recorder()
    assert carry_out(asked, again)
    assert again.named("starts", "done_earlier") == [("starts", "resumes"), ("done_earlier", "Apply 1/2")]
    assert staging.trace() == ["1", "2"]


def test_a_surprise_is_raised_and_settings_are_repeated_without_asking(
    staging: Database, tmp_path: Path
) -> None:
    setting = "/* why */ SET pgrehearse_test.mark = 'here';"
    use = "INSERT INTO trace (note) VALUES (current_setting('pgrehearse_test.mark'));"
    asked = request(staging, tmp_path, setting, GATE, use)
    with pytest.raises(ExpectationError, match="Apply 2/3: it raised SQLSTATE 22012"):
        carry_out(asked, Recorder())
    staging.execute("INSERT INTO gate VALUES (true)")
    again = Recorder()
    assert carry_out(asked, again)
    assert ("step", "Apply 1/3", setting) in again.told
    assert ("asks", "Apply 1/3") not in again.told
    assert staging.trace() == ["here"]


@OLD_STRINGS
def test_a_backslash_is_one_whatever_the_role_thinks(staging: Database, tmp_path: Path) -> None:
    name = staging.one("SELECT current_database()")
    staging.execute(f'ALTER DATABASE "{name}" SET standard_conforming_strings = off')
    assert carry_out(request(staging, tmp_path, "INSERT INTO trace (note) VALUES ('\\d\\\\');"), Recorder())
    assert staging.trace() == ["\\d\\\\"]


def test_a_role_that_only_reads_is_refused_before_the_first_step(staging: Database, tmp_path: Path) -> None:
    name = staging.one("SELECT current_database()")
    staging.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    recorder = Recorder()
    with pytest.raises(SetupError, match="read-only") as error:
        carry_out(request(staging, tmp_path, "INSERT INTO trace (note) VALUES ('a');"), recorder)
    assert "default_transaction_read_only=off" in (error.value.next_step or "")
    assert recorder.named("step") == []


def test_a_role_that_passes_triggers_by_is_refused_before_the_first_step(
    staging: Database, tmp_path: Path
) -> None:
    """As it does not obey foreign keys either; the one that says `local` does."""
    name = staging.one("SELECT current_database()")
    asked = request(staging, tmp_path, "INSERT INTO trace (note) VALUES ('a');")
    recorder = Recorder()
    staging.execute(f'ALTER DATABASE "{name}" SET session_replication_role = replica')
    with pytest.raises(SetupError, match="session_replication_role is replica"):
        carry_out(asked, recorder)
    assert recorder.named("step") == []
    staging.execute(f'ALTER DATABASE "{name}" SET session_replication_role = local')
    assert carry_out(asked, recorder)


def test_a_lock_that_is_not_to_be_had_is_told_and_tried_again(staging: Database, tmp_path: Path) -> None:
    with psycopg.connect(staging.dsn) as holder:
        holder.execute("LOCK TABLE gate IN ACCESS SHARE MODE")
        backoff = Backoff(3, lambda seconds: holder.rollback())
        asked = replace(
            request(staging, tmp_path, "ALTER TABLE gate ADD COLUMN extra int;"),
            lock_timeout="50ms",
            backoff=backoff,
        )
        recorder = Recorder()
        assert carry_out(asked, recorder)
    assert recorder.named("pauses") == [("pauses", "Apply 1/1", "55P03", "2/3")]


def test_the_victim_of_a_deadlock_is_tried_again(staging: Database, tmp_path: Path) -> None:
    """What is worth another try is the same for a runbook as for a migration."""
    pauses: list[float] = []
    staging.execute("CREATE SEQUENCE tries")
    lost = "IF nextval('tries') = 1 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END IF;"
    asked = request(staging, tmp_path, f"DO $$BEGIN {lost} END$$;")
    asked = replace(asked, backoff=Backoff(3, pauses.append))
    recorder = Recorder()
    assert carry_out(asked, recorder)
    assert recorder.named("pauses") == [("pauses", "Apply 1/1", "40P01", "2/3")]
    assert pauses == [0.5]


def test_a_build_out_of_a_parameter_is_not_tried_again(staging: Database, tmp_path: Path) -> None:
    """The word CONCURRENTLY stands in no cell: ``\\gexec`` makes the statement of a value."""
    generated = "SELECT :'build'\n\\gexec"
    build = "CREATE INDEX CONCURRENTLY trace_note ON trace (note)"
    with psycopg.connect(staging.dsn) as holder:
        holder.execute("INSERT INTO trace (note) VALUES ('open')")
        asked = replace(request(staging, tmp_path, generated, build=build), lock_timeout="50ms")
        with pytest.raises(ExpectationError) as error:
            carry_out(asked, Recorder())
    assert "an INVALID index may be left" in (error.value.next_step or "")


SCRIPT = """
import sys
from pathlib import Path
from pgrehearse.environments.target import open_target
from pgrehearse.execution.runbook.run import RunRequest, carry_out
from pgrehearse.text.document import load

class Silent:
    def asks(self, step): return True
    def __getattr__(self, name): return lambda *told: None

document = load(Path("sample.md"))
assert carry_out(RunRequest(document, open_target(sys.argv[1]), {}, Path("runs")), Silent())
print([name for name in ("click", "rich", "mkdocs", "IPython") if name in sys.modules])
"""


def test_no_front_end_is_loaded(staging: Database, tmp_path: Path) -> None:
    asked = request(staging, tmp_path, "INSERT INTO trace (note) VALUES ('bare');")
    asked.document.path.write_text(asked.document.text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, staging.dsn], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert staging.trace() == ["bare"]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_letters_in_a_database_that_knows_no_others(database: str, tmp_path: Path, encoding: str) -> None:
    """A run keeps its values and its session as JSON, and ``\\u00e4`` is no letter there."""
    with psycopg.connect(database, autocommit=True) as admin:
        name = f"{admin.info.dbname}_{encoding}".lower()
        admin.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        try:
            made = runbook_database(make_conninfo(database, dbname=name))
            values = (
                "SELECT set_config('own.größe', :'label', false); INSERT INTO trace (note) VALUES (:'label');"
            )
            asked = request(made, tmp_path, values, GATE, label="größer")
            with pytest.raises(ExpectationError, match="22012"):
                carry_out(asked, Recorder())
            made.execute("INSERT INTO gate VALUES (true)")
            assert carry_out(asked, Recorder())
            with connect(made.dsn) as session:
                assert session.execute("SELECT note FROM trace").fetchall() == [("größer",)]
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
