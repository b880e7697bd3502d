"""Runbooks carried out by a program: a request, and a reporter that keeps what it is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pgrehearse.environments.target import open_target
from pgrehearse.execution.backoff import Backoff, Pause
from pgrehearse.execution.runbook.preview import Part
from pgrehearse.execution.runbook.recorded import Unfinished
from pgrehearse.execution.runbook.run import RunRequest
from pgrehearse.execution.runbook.steps import Step
from pgrehearse.execution.runbook.watch import Blocker, Progress
from pgrehearse.text.document import parse
from support.databases import Database

__all__ = ["GATE", "Recorder", "names", "request", "runbook_database"]

#: A statement that fails while the table ``gate`` is empty.
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


def runbook_database(dsn: str) -> Database:
    """``dsn``, marked staging, with a table to leave traces in and one that opens ``GATE``."""
    made = Database(dsn)
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


def names(told: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Those of ``told`` that are about Apply."""
    return [one for one in told if one[1].startswith("Apply")]
