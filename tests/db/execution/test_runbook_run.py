"""A runbook carried out by a program instead of the command line: everything it needs is in the package."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest

from pgrehearse.environments.target import open_target
from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.execution.backoff import Backoff, Pause
from pgrehearse.execution.runbook.preview import Part
from pgrehearse.execution.runbook.recorded import Unfinished
from pgrehearse.execution.runbook.run import RunRequest, carry_out
from pgrehearse.execution.runbook.steps import Step
from pgrehearse.execution.runbook.watch import Blocker, Progress
from pgrehearse.text.document import parse
from support.databases import Database
from support.majors import LATER, LATER_SAID

GATE = "SELECT 1 / (SELECT count(*) FROM gate);"


@dataclass
class Recorder:
    """Keeps what it is told; says no to the step with the label ``no``."""

    no: str = ""
    told: list[tuple[str, ...]] = field(default_factory=list)

    def starts(self, log: Path, earlier: Unfinished | None) -> None:
        self.told.append(("starts", "resumes" if earlier and earlier.done else "at the top"))

    def tells(self, line: str) -> None:
        self.told.append(("tells", line))

    def step(self, step: Step) -> None:
        self.told.append(("step", step.label, step.text))

    def asks(self, step: Step) -> bool:
        self.told.append(("asks", step.label))
        return step.label != self.no

    def pauses(self, step: Step, pause: Pause) -> None:
        self.told.append(("pauses", step.label, pause.sqlstate, f"{pause.number}/{pause.of}"))

    def output(self, step: Step, text: str) -> None:
        self.told.append(("output", step.label, text))

    def sends(self, step: Step, parts: Sequence[Part]) -> None:
        self.told.append(("sends", step.label, *(sql for part in parts for sql in part.sent)))

    def waits(self, step: Step, blockers: Sequence[Blocker]) -> None:
        self.told.append(("waits", step.label, *(str(one.pid) for one in blockers)))

    def progress(self, step: Step, progress: Progress) -> None:
        self.told.append(("progress", step.label, f"{progress.done}/{progress.total}"))

    def notice(self, step: Step, text: str) -> None:
        self.told.append(("notice", step.label, text))

    def accepts(self, step: Step, unseen: str) -> bool:
        self.told.append(("accepts", step.label, unseen))
        return step.label != self.no

    def skipped(self, step: Step, reason: str) -> None:
        self.told.append(("skipped", step.label, reason))

    def done_earlier(self, step: Step) -> None:
        self.told.append(("done_earlier", step.label))

    def stopped(self, step: Step) -> None:
        self.told.append(("stopped", step.label))

    def finished(self, log: Path) -> None:
        self.told.append(("finished", json.loads(log.read_text("utf-8").splitlines()[-1])["event"]))

    def named(self, *names: str) -> list[tuple[str, ...]]:
        return [told for told in self.told if told[0] in names]


@pytest.fixture
def staging(database: str) -> Database:
    made = Database(database)
    made.mark("staging")
    made.execute("CREATE TABLE trace (at int GENERATED ALWAYS AS IDENTITY, note text)")
    made.execute("CREATE TABLE gate (open bool)")
    return made


def request(database: Database, folder: Path, *cells: str, **values: str) -> RunRequest:
    """To carry out a runbook with ``cells`` in its Apply phase."""
    fences = "\n\n".join(cell if cell.startswith("```") else f"```sql\n{cell}\n```" for cell in cells)
    text = (
        "---\ntitle: Sample\n---\n\n# Sample\n\n## Preflight\n\n```sql\nSELECT 'ok' AS preflight;\n```\n\n"
        f"## Apply\n\n{fences}\n\n## Verify\n\n```sql\nSELECT 'ok' AS verify;\n```\n\n"
        "## Roll back\n\n```sql\nTRUNCATE trace;\n```\n"
    )
    sample = parse(text, folder / "sample.md")
    return RunRequest(sample, open_target(database.dsn), values, folder / "runs", backoff=Backoff(3, _never))


def _never(seconds: float) -> None:
    raise AssertionError("nothing was to be tried again")


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


# --- what is shown, and sent ----------------------------------------------------------------------------


MAKES = "SELECT format('CREATE TABLE %I ()', name) FROM wanted WHERE to_regclass(name) IS NULL\n\\gexec"


@dataclass
class Meddling(Recorder):
    """Somebody who changes the database when he is asked for the first time."""

    database: Database | None = None
    change: str = ""

    def asks(self, step: Step) -> bool:
        agreed = super().asks(step)
        if step.cell.phase == "Apply" and self.change:
            assert self.database is not None
            self.database.execute(self.change)
            self.change = ""
        return agreed


def names(told: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [one for one in told if one[1].startswith("Apply")]


def test_what_a_query_generates_is_shown_before_it_is_asked_for(staging: Database, tmp_path: Path) -> None:
    staging.execute("CREATE TABLE wanted AS SELECT 'a' AS name")
    recorder = Recorder()
    assert carry_out(request(staging, tmp_path, MAKES), recorder)
    assert names(recorder.named("sends", "asks")) == [
        ("sends", "Apply 1/1", "CREATE TABLE a ()"),
        ("asks", "Apply 1/1"),
    ]


def test_what_is_there_is_shown_as_nothing_and_not_asked_for(staging: Database, tmp_path: Path) -> None:
    staging.execute("CREATE TABLE wanted AS SELECT 'trace' AS name")
    recorder = Recorder()
    assert carry_out(request(staging, tmp_path, MAKES), recorder)
    assert names(recorder.named("sends", "asks")) == [("sends", "Apply 1/1")]


@pytest.mark.parametrize("agrees", [True, False])
def test_what_changed_since_it_was_shown_is_shown_and_asked_for_again(
    staging: Database, tmp_path: Path, agrees: bool
) -> None:
    staging.execute("CREATE TABLE wanted AS SELECT 'a' AS name")
    recorder = Meddling(database=staging, change="INSERT INTO wanted VALUES ('b')")

    class Once(Meddling):
        def asks(self, step: Step) -> bool:
            return super().asks(step) and (agrees or len(self.named("sends")) < 2)

    recorder.__class__ = Once
    assert carry_out(request(staging, tmp_path, MAKES), recorder) is agrees
    assert names(recorder.named("sends", "asks")) == [
        ("sends", "Apply 1/1", "CREATE TABLE a ()"),
        ("asks", "Apply 1/1"),
        ("sends", "Apply 1/1", "CREATE TABLE a ()", "CREATE TABLE b ()"),
        ("asks", "Apply 1/1"),
    ]
    assert (staging.one("SELECT to_regclass('a')") is not None) is agrees


def test_less_than_was_shown_is_sent_without_asking(staging: Database, tmp_path: Path) -> None:
    staging.execute("CREATE TABLE wanted AS VALUES ('a'), ('b')")
    staging.execute("ALTER TABLE wanted RENAME column1 TO name")
    recorder = Meddling(database=staging, change="CREATE TABLE b (made int)")
    assert carry_out(request(staging, tmp_path, MAKES), recorder)
    assert len(names(recorder.named("asks"))) == 1
    assert staging.one("SELECT to_regclass('a')") is not None


def test_what_depends_on_the_statements_above_is_shown_when_it_is_due(
    staging: Database, tmp_path: Path
) -> None:
    cell = "CREATE TABLE wanted AS SELECT 'a' AS name;\n" + MAKES
    recorder = Recorder()
    assert carry_out(request(staging, tmp_path, cell), recorder)
    assert names(recorder.named("sends", "asks")) == [
        ("sends", "Apply 1/1", "CREATE TABLE wanted AS SELECT 'a' AS name"),
        ("asks", "Apply 1/1"),
        ("sends", "Apply 1/1", "CREATE TABLE a ()"),
        ("asks", "Apply 1/1"),
    ]


def test_in_a_transaction_it_is_shown_and_nobody_is_kept_waiting(staging: Database, tmp_path: Path) -> None:
    cell = f"BEGIN;\nCREATE TABLE wanted AS SELECT 'a' AS name;\n{MAKES}\nCOMMIT;"
    recorder = Recorder()
    assert carry_out(request(staging, tmp_path, cell), recorder)
    assert [one[0] for one in names(recorder.named("sends", "asks"))] == ["sends", "asks", "sends"]
    assert staging.one("SELECT to_regclass('a')") is not None


def test_looking_in_a_transaction_of_the_runbook_leaves_it_as_it_is(
    staging: Database, tmp_path: Path
) -> None:
    staging.execute("CREATE TABLE wanted AS SELECT 'a' AS name")
    wrong = "SELECT 'SELECT 1' FROM not_there_yet\n\\gexec"
    cells = ("BEGIN;", f"CREATE TABLE not_there_yet (); {wrong}\n{MAKES}", "COMMIT;")
    assert carry_out(request(staging, tmp_path, *cells), Recorder())
    assert staging.one("SELECT to_regclass('a')") is not None


# --- while a statement runs -----------------------------------------------------------------------------


@dataclass
class Releasing(Recorder):
    """Ends the transaction that blocks when it is told who that is."""

    holder: psycopg.Connection[tuple[object, ...]] | None = None

    def waits(self, step: Step, blockers: Sequence[Blocker]) -> None:
        super().waits(step, blockers)
        assert self.holder is not None
        self.holder.rollback()


@pytest.mark.parametrize(
    "cell",
    [
        "SET lock_timeout = '60s';\nALTER TABLE gate ADD COLUMN extra int;",
        "SET lock_timeout = 0;\nCREATE INDEX CONCURRENTLY gate_open ON gate (open);",
    ],
)
def test_who_blocks_is_named_while_it_waits(staging: Database, tmp_path: Path, cell: str) -> None:
    with psycopg.connect(staging.dsn, application_name="billing") as holder:
        holder.execute("INSERT INTO gate VALUES (false)")
        recorder = Releasing(holder=holder)
        assert carry_out(request(staging, tmp_path, cell), recorder)
        assert recorder.named("waits") == [("waits", "Apply 1/1", str(holder.info.backend_pid))]
    (log,) = (tmp_path / "runs").iterdir()
    events = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    (waited,) = [event for event in events if event["event"] == "waits"]
    assert [one["application"] for one in waited["blockers"]] == ["billing"]


@dataclass
class Answering(Recorder):
    """Opens the gate when it hears a notice."""

    database: Database | None = None

    def notice(self, step: Step, text: str) -> None:
        super().notice(step, text)
        assert self.database is not None
        self.database.execute("INSERT INTO gate VALUES (true)")


def test_notices_are_told_as_they_come_and_once(staging: Database, tmp_path: Path) -> None:
    waits = (
        "DO $$BEGIN RAISE NOTICE 'batch 1: 50 of 200'; FOR i IN 1..3000 LOOP"
        " IF EXISTS (SELECT FROM gate) THEN RETURN; END IF; PERFORM pg_sleep(0.01); END LOOP;"
        " RAISE EXCEPTION 'nobody heard it'; END$$;"
    )
    recorder = Answering(database=staging)
    assert carry_out(request(staging, tmp_path, waits), recorder)
    assert names(recorder.named("notice", "progress", "output")) == [
        ("notice", "Apply 1/1", "NOTICE:  batch 1: 50 of 200"),
        ("progress", "Apply 1/1", "50/200"),
        ("output", "Apply 1/1", "DO"),
    ]


def test_no_timeout_of_a_fence_or_a_role_ends_a_step(staging: Database, tmp_path: Path) -> None:
    slow = '```sql timeout="50ms"\nSELECT pg_sleep(0.3);\n```'
    python = (
        '```python timeout="50ms"\nimport time, psycopg\ntime.sleep(0.3)\n'
        'with psycopg.connect() as c:\n    print(c.execute("SHOW statement_timeout").fetchone()[0])\n'
        "```\n\n```text\n0\n```"
    )
    asked = request(staging, tmp_path, slow, python)
    staging.execute(f"ALTER DATABASE \"{staging.name}\" SET statement_timeout = '50ms'")
    assert carry_out(asked, Recorder())


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
