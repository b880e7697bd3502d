"""``pgrehearse run``: a runbook on a database, step by step."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from pgrehearse.clock import now
from pgrehearse.environments.target import Target, open_target
from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.records import text_digest
from pgrehearse.execution.rehearser import check_form
from pgrehearse.execution.runbook.operator import Operator, shown, steps_of
from pgrehearse.execution.runbook.run_log import RunLog, unfinished
from pgrehearse.text.document import Document, load
from pgrehearse.text.lookup import find, project_of
from pgrehearse.text.project import Project

__all__ = ["run"]

_PHASES = {"preflight": "Preflight", "apply": "Apply", "verify": "Verify", "roll-back": "Roll back"}
_FORWARD = ["Preflight", "Apply", "Verify"]
_READING = {"Preflight", "Verify"}
#: Seconds a step may take: whether a long build or backfill is canceled is the operator's decision.
_PATIENCE = 7 * 24 * 3600.0


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
    environment it is: ALTER DATABASE name SET pgrehearse.environment = 'staging'.
    """
    given = Path(runbook)
    project = project_of(given if given.is_file() else None)
    document = _find(project, runbook)
    check_form(document, project)
    values = _values(document, settings)
    wanted = [title for phase, title in _PHASES.items() if phase in phases] or _FORWARD
    if dry_run:
        return _dry_run(document, wanted, values)
    target = open_target(dsn)
    _refuse_unattended(target, yes, wanted)
    identity = {
        "runbook": document.path.name,
        "text": text_digest(document.text),
        "values": values,
        "database": f"{target.where}/{target.database} {target.oid}",
        "phases": wanted,
    }
    folder = project.records / "runs"
    logs = {*folder.glob("*.jsonl"), *([log_file] if log_file and log_file.is_file() else [])}
    earlier = None if from_top else unfinished(logs, identity)
    done = earlier.done if earlier else frozenset()
    stamp = now().strftime("%Y%m%dT%H%M%S.%fZ")
    log = RunLog(log_file or folder / f"{stamp}-{document.path.stem}.jsonl")
    click.echo(f"{document.title}\n  on {target}\n  log {log.path}")
    if earlier and done:
        click.echo(f"  resuming {earlier.at}: {len(done)} done steps are left out (--from-top repeats them)")
    log.write(
        "start",
        identity=identity,
        environment=target.environment,
        version=target.version,
        user=target.user,
        resumed=sorted(done),
    )
    executor = Executor(
        target.conninfo,
        environment=target.libpq_environment(),
        path=document.path,
        major=target.major,
        values=values,
        timeout=_PATIENCE,
    )
    try:
        with executor:
            operator = Operator(document, executor, log, attempts=attempts, confirm=not yes)
            operator.limit_lock_waits(lock_timeout)
            for step in steps_of(document, wanted):
                operator.carry_out(step, done=step.cell.phase == "Apply" and step.cell.line in done)
            operator.finish()
        log.write("done")
    except BaseException as error:
        log.write("stopped", error=type(error).__name__)
        if isinstance(error, (KeyboardInterrupt, click.Abort)):
            click.echo("\ninterrupted: the statement under way was canceled; run again to go on", err=True)
            raise click.exceptions.Exit(130) from None
        raise
    finally:
        log.close()
    click.echo(f"\ndone: {', '.join(wanted)}; log {log.path}")
    return 0


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


def _values(document: Document, settings: tuple[str, ...]) -> dict[str, str]:
    declared = document.front.parameters
    values = {name: p.default for name, p in declared.items() if p.default is not None}
    given: set[str] = set()
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise click.UsageError(f"--set {setting!r} is not NAME=VALUE")
        if name in given:
            raise click.UsageError(f"--set {setting!r} gives {name} a second time")
        given.add(name)
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "it takes " + (", ".join(declared) or "none")
            raise SetupError(f"the runbook has no parameter {name!r}", path=document.path, next_step=hint)
        values[name] = value
    missing = [p for name, p in declared.items() if name not in values]
    if missing:
        listing = "".join(f"\n    --set {p.name}=...  {p.description} (such as {p.example})" for p in missing)
        raise SetupError("parameters have no value", path=document.path, next_step=f"give them:{listing}")
    return values


def _dry_run(document: Document, phases: list[str], values: dict[str, str]) -> int:
    for step in steps_of(document, phases):
        click.echo(f"-- {step.label} ({document.path.name}:{step.cell.line})")
        click.echo(shown(step.cell, values) + "\n")
    click.echo("-- dry run: connected to nothing, ran nothing")
    return 0


def _refuse_unattended(target: Target, yes: bool, phases: list[str]) -> None:
    if yes and target.environment == "production" and not set(phases) <= _READING:
        raise SetupError(
            f"refused: --yes on {target.database!r}, which is production",
            next_step="leave out --yes and confirm each step; --phase preflight or verify may run unattended",
        )
