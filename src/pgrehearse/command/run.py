"""``pgrehearse run``: a runbook on a database, step by step."""

from __future__ import annotations

from pathlib import Path

import click

from pgrehearse.command.streams import too_late
from pgrehearse.command.terminal import styled
from pgrehearse.environments.permissions import Operation, Verdict, demand, verdict
from pgrehearse.environments.target import open_target
from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.execution.backoff import LOCK_NOT_AVAILABLE, Backoff, Pause
from pgrehearse.execution.rehearser import check_form
from pgrehearse.execution.runbook.parameters import values_of
from pgrehearse.execution.runbook.recorded import Unfinished
from pgrehearse.execution.runbook.run import RunRequest, carry_out
from pgrehearse.execution.runbook.steps import FORWARD, Step, steps_of
from pgrehearse.findings import indented
from pgrehearse.text.document import LOOKING, Document, load
from pgrehearse.text.lookup import find, project_of
from pgrehearse.text.project import Project

__all__ = ["run"]

_PHASES = {"preflight": "Preflight", "apply": "Apply", "verify": "Verify", "roll-back": "Roll back"}


@click.command()
@click.argument("runbook")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Give a parameter its value.")
@click.option("--dsn", help="The database; without it, libpq's environment names it.")
@click.option("--dry-run", is_flag=True, help="Show the steps with their values; connect to nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before each step; refused on production.")
@click.option(
    "--phase", "phases", multiple=True, type=click.Choice(list(_PHASES)), help="Run this phase only."
)
@click.option("--from-top", is_flag=True, help="Repeat steps an earlier run has done.")
@click.option("--lock-timeout", default="2s", show_default=True, help="How long a step waits for a lock.")
@click.option(
    "--attempts",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Tries of a step that gets no lock.",
)
@click.option("--log", "log_file", type=click.Path(path_type=Path), help="Where the run log goes.")
def run(
    runbook: str,
    settings: tuple[str, ...],
    dsn: str | None,
    dry_run: bool,
    yes: bool,
    phases: tuple[str, ...],
    from_top: bool,
    lock_timeout: str,
    attempts: int,
    log_file: Path | None,
) -> int:
    """Carry out RUNBOOK, a file or a name, on a database: show each step, ask, run it, check it.

    Stops at the first surprise; run again, it goes on where it stopped. The database must say which
    environment it is: pgrehearse environment set staging.
    """
    given = Path(runbook)
    project = project_of(given if given.is_file() else None)
    document = _find(project, runbook)
    check_form(document, project)
    values = values_of(document, _given(settings))
    wanted = [title for phase, title in _PHASES.items() if phase in phases] or list(FORWARD)
    if dry_run:
        return _dry_run(document, wanted, values)
    target = open_target(dsn)
    operation = _operation(yes, wanted)
    demand(operation, target.environment, target.database, said=not yes)
    confirm = verdict(operation, target.environment) is Verdict.ASKED
    request = RunRequest(
        document,
        target,
        values,
        project.records / "runs",
        wanted,
        log_file,
        from_top,
        lock_timeout,
        Backoff(attempts),
    )
    try:
        return 0 if carry_out(request, _Terminal(request, confirm=confirm)) else 1
    except (KeyboardInterrupt, click.Abort):
        click.echo("\ninterrupted: the statement under way was canceled; run again to go on", err=True)
        raise click.exceptions.Exit(130) from None


class _Terminal:
    """The operator's terminal: a `Reporter`. ``confirm``: ask before each step."""

    def __init__(self, request: RunRequest, *, confirm: bool) -> None:
        self._request = request
        self._confirm = confirm

    def starts(self, log: Path, earlier: Unfinished | None) -> None:
        click.echo(f"{self._request.document.title}\n  on {self._request.target}\n  log {log}")
        if earlier and earlier.done:
            left_out = f"{len(earlier.done)} done steps are left out (--from-top repeats them)"
            click.echo(f"  resuming {earlier.at}: {left_out}")

    def tells(self, line: str) -> None:
        click.echo(f"  {line}")

    def step(self, step: Step) -> None:
        place = f"{self._request.document.path.name}:{step.cell.line}"
        click.echo(f"\n{styled(step.label, bold=True)}  ({place})")
        click.echo(indented(step.shown))

    def asks(self, step: Step) -> bool:
        return self._answer("run this step?")

    def accepts(self, step: Step, unseen: str) -> bool:
        click.echo(f"  {styled('not seen', bold=True)}: {unseen}")
        return self._answer("go on without having seen it?")

    def _answer(self, question: str) -> bool:
        if not self._confirm:
            return True
        try:
            return click.confirm(f"  {question}", default=False)
        except click.Abort as error:
            if isinstance(error.__context__, EOFError):
                raise SetupError(
                    "nobody answers: standard input is at its end",
                    next_step="run it in a terminal; --yes does not ask, where that is allowed",
                ) from None
            raise

    def pauses(self, step: Step, pause: Pause) -> None:
        why = (
            "no lock within lock_timeout"
            if pause.sqlstate == LOCK_NOT_AVAILABLE
            else f"SQLSTATE {pause.sqlstate}"
        )
        click.echo(f"  {why}; attempt {pause.number} in {pause.seconds:g} s")

    def output(self, step: Step, text: str) -> None:
        click.echo(indented(text))

    def skipped(self, step: Step, reason: str) -> None:
        click.echo(f"    skipped: {reason}")

    def done_earlier(self, step: Step) -> None:
        click.echo(f"{step.label}  done in the earlier run")

    def stopped(self, step: Step) -> None:
        click.echo("stopped before this step; run again to go on from here")

    def finished(self, log: Path) -> None:
        too_late()
        click.echo(f"\ndone: {', '.join(self._request.phases)}; log {log}")


def _find(project: Project, runbook: str) -> Document:
    path = find(project, runbook)
    document = load(path)
    if not document.is_runbook:
        raise DocumentError(
            "is not a runbook: it has no Apply phase",
            path=path,
            next_step="guides are rehearsed with `pgrehearse test`, not run",
        )
    return document


def _given(settings: tuple[str, ...]) -> dict[str, str]:
    given: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise click.UsageError(f"--set {setting!r} is not NAME=VALUE")
        if name in given:
            raise click.UsageError(f"--set {setting!r} gives {name} a second time")
        given[name] = value
    return given


def _dry_run(document: Document, phases: list[str], values: dict[str, str]) -> int:
    for step in steps_of(document, phases, values):
        click.echo(f"-- {step.label} ({document.path.name}:{step.cell.line})")
        click.echo(step.text + "\n")
    click.echo("-- dry run: connected to nothing, ran nothing")
    return 0


def _operation(yes: bool, phases: list[str]) -> Operation:
    if not yes:
        return Operation.RUN
    return Operation.RUN_CHECKS_UNATTENDED if set(phases) <= set(LOOKING) else Operation.RUN_UNATTENDED
