"""A runbook carried out by a program instead of the command line: everything it needs is in the package."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest

from pgrehearse.environments.target import open_target
from pgrehearse.errors import ExpectationError
from pgrehearse.execution.backoff import Backoff, Pause
from pgrehearse.execution.runbook.recorded import Unfinished
from pgrehearse.execution.runbook.run import RunRequest, carry_out
from pgrehearse.execution.runbook.steps import Step
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
        ("asks", "Preflight 1/1"),
        ("output", "Preflight 1/1", " preflight\n-----------\n ok\n(1 row)"),
        ("step", "Apply 1/2", "INSERT INTO trace (note) VALUES ('it''s');"),
        ("asks", "Apply 1/2"),
        ("output", "Apply 1/2", "INSERT 0 1"),
        ("step", "Apply 2/2", "SELECT 1;"),
        ("asks", "Apply 2/2"),
        ("skipped", "Apply 2/2", LATER_SAID),
        ("step", "Verify 1/1", "SELECT 'ok' AS verify;"),
        ("asks", "Verify 1/1"),
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
