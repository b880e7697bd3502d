"""``pgrehearse run``: a runbook on a database, step by step."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from pgrehearse.command.run_terminal import RunTerminal
from pgrehearse.environments.permissions import Operation, Verdict, demand, verdict
from pgrehearse.environments.target import Target, open_target
from pgrehearse.errors import DocumentError
from pgrehearse.execution.backoff import Backoff
from pgrehearse.execution.rehearser import check_form
from pgrehearse.execution.runbook.lock_waits import LockWaits
from pgrehearse.execution.runbook.parameters import former_ones, values_of
from pgrehearse.execution.runbook.plain_sql import parts_now, parts_unknown, plain_sql
from pgrehearse.execution.runbook.run import RunRequest, carry_out
from pgrehearse.execution.runbook.steps import FORWARD, Step, steps_of
from pgrehearse.execution.session import Session
from pgrehearse.execution.unlimited import unlimited
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
@click.option(
    "--sql",
    "as_sql",
    is_flag=True,
    help="Print plain SQL for another client, as the database is now; with --dry-run, without a database.",
)
@click.option("--yes", is_flag=True, help="Do not ask before each step; refused on production.")
@click.option("-v", "--verbose", is_flag=True, help="Show the SQL of checks and of temporary functions too.")
@click.option(
    "--phase", "phases", multiple=True, type=click.Choice(list(_PHASES)), help="Run this phase only."
)
@click.option("--from-top", is_flag=True, help="Repeat steps an earlier run has done.")
@click.option(
    "--lock-timeout", help="How long a step waits for a lock; otherwise 2s, and what the runbook says."
)
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
    as_sql: bool,
    yes: bool,
    verbose: bool,
    phases: tuple[str, ...],
    from_top: bool,
    lock_timeout: str | None,
    attempts: int,
    log_file: Path | None,
) -> int:
    """Carry out RUNBOOK, a file or a name, on a database: show each step, ask, run it, check it.

    Checks are READ ONLY and not asked for, nor is what ends with the session. Stops at the first surprise;
    run again, it goes on where it stopped. The database must say which
    environment it is: pgrehearse environment set staging.
    """
    given = Path(runbook)
    project = project_of(given if given.is_file() else None)
    document = _find(project, runbook)
    check_form(document, project)
    named = _given(settings)
    values = values_of(document, named)
    for told in former_ones(document, named):
        click.echo(told, err=True)
    wanted = [title for phase, title in _PHASES.items() if phase in phases] or list(FORWARD)
    waits = LockWaits(lock_timeout)
    if as_sql:
        return _as_sql(document, wanted, values, waits, dsn, connect=not dry_run)
    if dry_run:
        return _dry_run(document, steps_of(document, wanted, values, waits))
    target = open_target(dsn)
    operation = _operation(yes, wanted)
    demand(operation, target.environment, target.database, said=not yes)
    _named(target, wanted)
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
        return 0 if carry_out(request, RunTerminal(request, confirm=confirm, verbose=verbose)) else 1
    except (KeyboardInterrupt, click.Abort):
        click.echo("\ninterrupted: the statement under way was canceled; run again to go on", err=True)
        raise click.exceptions.Exit(130) from None


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


def _named(target: Target, phases: list[str]) -> None:
    """Let the name of the database be typed, where that is asked for: what only says yes does not know it."""
    if set(phases) <= set(LOOKING) or verdict(Operation.CHANGE, target.environment) is not Verdict.ASKED:
        return
    try:
        typed = click.prompt(f"{target.database} is {target.environment}; type its name to go on")
    except click.Abort as error:
        if not isinstance(error.__context__, EOFError):
            raise
        click.echo()  # the question has no answer that ends its line
        typed = ""
    demand(Operation.CHANGE, target.environment, target.database, said=typed == target.database)


def _as_sql(
    document: Document,
    phases: list[str],
    values: dict[str, str],
    waits: LockWaits,
    dsn: str | None,
    *,
    connect: bool,
) -> int:
    """Print the steps for another client; where ``connect``, as the database is now."""
    steps = steps_of(document, phases, values, waits)
    if not connect:
        click.echo("\n".join(plain_sql(document, steps, parts_unknown)))
        return 0
    target = open_target(dsn)
    with closing(Session("sql", unlimited(target.conninfo, target.major))) as session:
        lines = plain_sql(document, steps, parts_now(session, document, values, waits), target.major)
        said = "\n".join([f"-- {document.title}, for {target}", "", *lines])
    click.echo(said)
    return 0


def _dry_run(document: Document, steps: list[Step]) -> int:
    for step in steps:
        click.echo(f"-- {step.label} ({document.path.name}:{step.cell.line})")
        click.echo(step.text + "\n")
    click.echo("-- dry run: connected to nothing, ran nothing")
    return 0


def _operation(yes: bool, phases: list[str]) -> Operation:
    if not yes:
        return Operation.RUN
    return Operation.RUN_CHECKS_UNATTENDED if set(phases) <= set(LOOKING) else Operation.RUN_UNATTENDED
