"""All checks over the migrations of a project: about which files, in which order, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.measurement import catalog
from pgrehearse.measurement.client import Client
from pgrehearse.measurement.xray import Step, steps, xray
from pgrehearse.migration import plan
from pgrehearse.migration.policy import breaking, comments, form, history, interface, locks
from pgrehearse.migration.policy.form import timeout_of
from pgrehearse.migration.policy.rules import CHECKS, Problem
from pgrehearse.migration.policy.source import File, Written, files
from pgrehearse.migration.policy.stage import Failed, Stage
from pgrehearse.migration.statement import code
from pgrehearse.servers.base import Server
from pgrehearse.text import migrations as migration_files
from pgrehearse.text.migrations import Migration
from pgrehearse.text.project import Project

__all__ = ["Report", "Request", "check"]


@dataclass(frozen=True)
class Request:
    """What to check.

    Attributes:
        names: file names to check; empty: all that are not applied.
        base: a commit of git; files it has are taken as applied.
        conninfo: a database whose ledger says what is applied.
        schema: a dump of the applied schema, used instead of running the applied files.
        rows: rows of the example data to measure with.
        off: check -> why this project does without it.
    """

    names: frozenset[str] = frozenset()
    base: str | None = None
    conninfo: str | None = None
    schema: Path | None = None
    rows: int = 1000
    off: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Report:
    """What was found.

    Attributes:
        problems: in order of file and line.
        checked: names of the files that were checked.
        exempt: how many were left out, being applied.
        measured: statements that were measured, and on which server; empty: none were.
        not_run: check -> reason.
        empty: tables that were measured without a row.
    """

    problems: list[Problem] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    exempt: int = 0
    measured: int = 0
    server: str = ""
    not_run: dict[str, str] = field(default_factory=dict)
    empty: set[str] = field(default_factory=set)


def check(
    project: Project,
    request: Request,
    server: Callable[[], Server] | None,
    progress: Callable[[str], None] = lambda name: None,
) -> Report:
    """Check the migrations of ``project``.

    Args:
        server: starts a disposable server when one is needed; None: only what needs none.
        progress: called with the name of each file that is measured.

    Raises:
        DocumentError: a name that is no migration; an applied file that does not run.
        SetupError: no git, no commit of that name, no server, no ledger.
    """
    found = migration_files.load(project.migrations)
    report = Report()
    applied = _applied(project, request, found, report)
    chosen = _chosen(project, request, found, applied)
    report.checked = [migration.path.name for migration in chosen]
    report.exempt = len(applied & {migration.path.name for migration in found})
    read = files(found)
    todo = [file for file in read if file.migration in chosen]
    for file in todo:
        report.problems += [*file.misdeclared(), *form.check(file)]
    if server is None:
        reason = "--no-measure"
        report.not_run |= {name: reason for name, check in CHECKS.items() if check.kind != "text"}
    elif todo:
        _on_server(project, request, server(), read, todo, report, progress)
    for name, reason in request.off.items():
        report.not_run[name] = f"off in pyproject.toml: {reason}"
    report.problems = sorted(
        {problem for problem in report.problems if problem.check not in request.off},
        key=lambda problem: (problem.path.name, problem.line, problem.rule, problem.said),
    )
    return report


def _applied(project: Project, request: Request, found: Sequence[Migration], report: Report) -> set[str]:
    """Names of the files that are applied; what is wrong with them goes into the report."""
    names: set[str] = set()
    if request.base is not None:
        at = history.base(project.migrations, request.base)
        report.problems += history.against_base(project.migrations, at, found)
        names |= set(at.blobs)
    if request.conninfo is not None:
        states = plan.read(request.conninfo, found)
        report.problems += history.against_ledger(project.migrations, states)
        names |= {s.migration.path.name for s in states if s.migration and s.state in ("applied", "edited")}
    if request.base is None and request.conninfo is None and not request.names:
        report.not_run["applied"] = "neither --base nor --dsn says what is applied"
    return names


def _chosen(
    project: Project, request: Request, found: Sequence[Migration], applied: set[str]
) -> list[Migration]:
    unknown = request.names - {migration.path.name for migration in found}
    if unknown:
        raise DocumentError(
            f"no migration {sorted(unknown)[0]!r}",
            path=project.migrations,
            next_step="name files of this folder",
        )
    if request.names:
        return [migration for migration in found if migration.path.name in request.names]
    return [migration for migration in found if migration.path.name not in applied]


def _on_server(
    project: Project,
    request: Request,
    server: Server,
    read: Sequence[File],
    todo: Sequence[File],
    report: Report,
    progress: Callable[[str], None],
) -> None:
    report.server = server.version
    objects: list[tuple[File, list[tuple[Written, comments.Made]]]] = []
    last = todo[-1]
    with Stage(server, project, request.rows, request.schema) as stage:
        for file in read:
            if file.unreadable and (file in todo or request.schema is None):
                report.not_run["measurement"] = f"{file.migration.path.name} cannot be sent; mend it first"
                break
            chosen = file in todo
            failed: Failed | None
            if chosen:
                progress(file.migration.path.name)
                broke = _measure(stage, file, report)
                failed, made = _walk(stage, project, file, report)
                objects.append((file, made))
                if broke or failed:
                    if failed and not broke:
                        report.problems.append(_refused(file, failed))
                    if failed:
                        report.not_run["later files"] = f"{file.migration.path.name} does not run"
                        break
            elif request.schema is None:
                failed = stage.apply(file)
                if failed:
                    _stop(file, failed, before=file.migration.version < last.migration.version)
                    break
        with stage.client() as client:
            final = comments.read(client)
        for file, made in objects:
            report.problems += comments.check(file, made, final)
    for file in todo:
        report.problems += _unused(file, report, request)


def _measure(stage: Stage, file: File, report: Report) -> bool:
    """Measure the statements of ``file``; whether one failed."""
    todo = [step for step in steps(file.migration.path) if _worth(step)]
    if all(timeout_of(step.statement) for step in todo):
        return False
    template = stage.filled()
    try:
        with Client(stage.server.dsn(template)) as client:
            before = catalog.read(client)
        found = xray(stage.server, template, todo)
    finally:
        stage.drop(template)
    known = frozenset(relation.name for relation in before.relations.values())
    tables = frozenset(relation.name for relation in before.relations.values() if relation.is_readable)
    measured = [row for row in found.rows if row.facts is not None]
    report.measured += len(measured)
    touched = {name for row in measured if row.facts for name in row.facts.locks}
    report.empty |= set(found.empty) & touched
    report.problems += locks.check(file, locks.Measured(found.rows, known, tables, stage.server.version))
    return any(row.error for row in found.rows)


def _worth(step: Step) -> bool:
    """COMMENT ON keeps nobody waiting (the page of rule 10 proves it), and there are many of them."""
    return not code(step.statement).startswith("comment on ")


def _walk(
    stage: Stage, project: Project, file: File, report: Report
) -> tuple[Failed | None, list[tuple[Written, comments.Made]]]:
    """Apply ``file`` and look at the catalog after each statement."""
    interfaces: list[tuple[Written | None, interface.Interface]] = []
    objects: list[tuple[Written | None, comments.Objects]] = []

    def look(client: Client, written: Written | None) -> None:
        if written is None or not code(written.sql).startswith(("comment on ", "set ")):
            interfaces.append((written, interface.read(client)))
            objects.append((written, comments.read(client)))

    with stage.client() as client:
        look(client, None)
    failed = stage.apply(file, look)
    if failed is None:
        changes = project.changes
        report.problems += breaking.check(file, interfaces, changes, project.relative(changes))
    return failed, comments.made_by(objects)


def _refused(file: File, failed: Failed) -> Problem:
    written = failed.written or file.up[-1]
    return Problem(
        "runnable",
        file.migration.path,
        written.line,
        f"fails on the state the earlier files leave: {failed.said} ({failed.sqlstate})",
        "mend the statement",
        written.sql,
    )


def _stop(file: File, failed: Failed, *, before: bool) -> None:
    if before:
        line = failed.written.line if failed.written else file.migration.up.line
        raise DocumentError(
            f"this applied migration does not run on an empty database: {failed.said}",
            path=file.migration.path,
            line=line,
            next_step="start from a dump instead: --schema FILE, what pg_dump -s wrote",
        )


def _unused(file: File, report: Report, request: Request) -> list[Problem]:
    """Exceptions that nothing needed: they would hide the next problem of that kind."""
    if any(
        problem.check in ("runnable", "enum-value") and problem.path == file.migration.path
        for problem in report.problems
    ) or report.not_run.keys() & {"measurement", "later files"}:
        return []
    return [
        Problem(
            allow.name,
            file.migration.path,
            allow.line,
            f"`-- allow: {allow.name}` stands here, and nothing needs it",
            "remove the line",
        )
        for allow in file.every_allow()
        if allow not in file.used and allow.name in CHECKS and allow.reason and allow.name not in request.off
    ]
