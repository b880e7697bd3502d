"""All checks over the migrations of a project: about which files, in which order, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.findings import Finding
from pgrehearse.measurement.statement import relations
from pgrehearse.measurement.statement.client import Client
from pgrehearse.measurement.xray import FileStatement, Row, steps, xray
from pgrehearse.migration.policy import breaking, comments, cost_checks, history, interface, text_checks
from pgrehearse.migration.policy.file import File, Written, files
from pgrehearse.migration.policy.playback import Failed, Playback
from pgrehearse.migration.policy.register import CHECKS, broken
from pgrehearse.migration.policy.text_checks import timeouts
from pgrehearse.migration.runner import versions
from pgrehearse.servers import Server, ordinary
from pgrehearse.text import migration_files
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project
from pgrehearse.text.statement import classify

__all__ = ["PolicyReport", "PolicyRequest", "check"]


@dataclass(frozen=True)
class PolicyRequest:
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
class PolicyReport:
    """What was found.

    Attributes:
        problems: in order of file and line.
        checked: names of the files that were checked.
        exempt: how many were left out, being applied.
        measured: statements that were measured, and on which server; empty: none were.
        not_run: check -> reason.
        empty: tables that were measured without a row.
        notes: what of a dump could not be made.
        rows: what was measured, file name -> its statements.
    """

    problems: list[Finding] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    exempt: int = 0
    measured: int = 0
    server: str = ""
    not_run: dict[str, str] = field(default_factory=dict)
    empty: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    rows: dict[str, tuple[Row, ...]] = field(default_factory=dict)


def check(
    project: Project,
    request: PolicyRequest,
    server: Callable[[], Server] | None,
    progress: Callable[[str], None] = lambda name: None,
) -> PolicyReport:
    """Check the migrations of ``project``.

    Args:
        server: starts a disposable server when one is needed; None: only what needs none.
        progress: called with the name of each file that is measured.

    Raises:
        DocumentError: a name that is no migration; an applied file that does not run.
        SetupError: no git, no commit of that name, no server, no ledger.
    """
    found = migration_files.load(project.migrations)
    report = PolicyReport()
    applied = _applied(project, request, found, report)
    chosen = _chosen(project, request, found, applied)
    report.checked = [migration.path.name for migration in chosen]
    report.exempt = len(applied & {migration.path.name for migration in found})
    read = files(found)
    todo = [file for file in read if file.migration in chosen]
    for file in todo:
        report.problems += [*file.misdeclared(), *text_checks.check(file)]
    if server is None:
        reason = "--no-measure"
        report.not_run |= {name: reason for name, check in CHECKS.items() if check.kind != "text"}
    elif todo:
        started = server()
        report.server = started.version
        with ExitStack() as stack:
            within = stack.enter_context(ordinary(started)) if request.schema else started
            stage = stack.enter_context(Playback(within, project, request.rows, request.schema))
            report.notes += stage.notes
            _Run(project, request, stage, report, todo, progress).through(read)
        for file in todo:
            report.problems += _unused(file, report, request)
    for name, reason in request.off.items():
        report.not_run[name] = f"off in pyproject.toml: {reason}"
    report.problems = sorted(
        {problem for problem in report.problems if problem.check not in request.off},
        key=lambda found: (found.place(_name), found.line, CHECKS[found.check].rule, found.message),
    )
    return report


def _name(path: Path) -> str:
    return path.name


def _applied(
    project: Project, request: PolicyRequest, found: Sequence[Migration], report: PolicyReport
) -> set[str]:
    """Names of the files that are applied; what is wrong with them goes into the report."""
    names: set[str] = set()
    if request.base is not None:
        at = history.base(project.migrations, request.base)
        report.problems += history.against_base(project.migrations, at, found)
        names |= set(at.blobs)
    if request.conninfo is not None:
        states = versions.read(request.conninfo, found)
        report.problems += history.against_ledger(project.migrations, states)
        names |= {s.migration.path.name for s in states if s.migration and s.state in ("applied", "edited")}
    if request.base is None and request.conninfo is None and not request.names:
        report.not_run["applied"] = "neither --base nor --dsn says what is applied"
    return names


def _chosen(
    project: Project, request: PolicyRequest, found: Sequence[Migration], applied: set[str]
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


@dataclass
class _Run:
    """One way through the files on a disposable database."""

    project: Project
    request: PolicyRequest
    stage: Playback
    report: PolicyReport
    todo: Sequence[File]
    progress: Callable[[str], None]
    made: list[tuple[File, list[tuple[Written, comments.Made]]]] = field(default_factory=list)

    def through(self, read: Sequence[File]) -> None:
        """Apply the files in order, those of ``todo`` under observation, until one does not run."""
        for file in read:
            chosen = file in self.todo
            if not chosen and self.request.schema is not None:
                continue  # the dump holds it
            if file.unreadable:
                self._not_run(f"{file.migration.path.name} cannot be sent", "measured", "catalog")
                break
            if not (self._look(file) if chosen else self._pass(file)):
                break
        with self.stage.client() as client:
            final = comments.read(client)
        for file, made in self.made:
            self.report.problems += comments.check(file, made, final)

    def _look(self, file: File) -> bool:
        self.progress(file.migration.path.name)
        broke = _measure(self.stage, file, self.report)
        failed, made = _walk(self.stage, self.project, file, self.report)
        self.made.append((file, made))
        if failed is None:
            return True
        if not broke:
            self.report.problems.append(_refused(file, failed))
        self._not_run(f"{file.migration.path.name} does not run, so neither do files after it", "catalog")
        return False

    def _pass(self, file: File) -> bool:
        failed = self.stage.apply(file)
        if failed is None:
            return True
        if file.migration.version < self.todo[-1].migration.version:
            raise DocumentError(
                f"this applied migration does not run on an empty database: {failed.said}",
                path=file.migration.path,
                line=failed.written.line if failed.written else file.migration.up.line,
                next_step="start from a dump instead: --schema FILE, what pg_dump -s wrote",
            )
        return False  # later than what is checked: only a COMMENT ON of it could matter

    def _not_run(self, reason: str, *kinds: str) -> None:
        self.report.not_run |= {name: reason for name, check in CHECKS.items() if check.kind in kinds}


def _measure(stage: Playback, file: File, report: PolicyReport) -> bool:
    """Measure the statements of ``file``; whether one failed."""
    todo = [step for step in steps(file.migration.path) if _worth(step)]
    if not todo:
        return False
    template = stage.filled()
    try:
        with Client(stage.server.dsn(template)) as client:
            before = relations.read(client)
        found = xray(stage.server, template, todo)
    finally:
        stage.drop(template)
    known = frozenset(relation.name for relation in before.relations.values())
    tables = frozenset(relation.name for relation in before.relations.values() if relation.is_readable)
    report.rows[file.migration.path.name] = found.rows
    measured = [row for row in found.rows if row.facts is not None]
    report.measured += len(measured)
    touched = {name for row in measured if row.facts for name in row.facts.locks}
    report.empty |= set(found.empty) & touched
    report.problems += cost_checks.check(
        file, cost_checks.MeasuredStatement(found.rows, known, tables, stage.server.version)
    )
    return any(row.error for row in found.rows)


def _worth(step: FileStatement) -> bool:
    """COMMENT ON and timeouts keep nobody waiting (the guide on comments proves it), and are many."""
    return not classify(step.statement).begins("comment", "on") and not timeouts(step.statement)


def _walk(
    stage: Playback, project: Project, file: File, report: PolicyReport
) -> tuple[Failed | None, list[tuple[Written, comments.Made]]]:
    """Apply ``file`` and look at the catalog after each statement."""
    interfaces: list[tuple[Written | None, interface.Interface]] = []
    objects: list[tuple[Written | None, comments.Objects]] = []

    def look(client: Client, written: Written | None) -> None:
        if written is None or classify(written.sql).verb not in ("comment", "set"):
            interfaces.append((written, interface.read(client)))
            objects.append((written, comments.read(client)))

    with stage.client() as client:
        look(client, None)
    failed = stage.apply(file, look)
    if failed is None:
        changes = project.changes
        report.problems += breaking.check(file, interfaces, changes, project.relative(changes))
    return failed, comments.made_by(objects)


def _refused(file: File, failed: Failed) -> Finding:
    written = failed.written or file.up[-1]
    return broken(
        "runnable",
        file.migration.path,
        written.line,
        f"fails on the state the earlier files leave: {failed.said} ({failed.sqlstate})",
        "mend the statement",
        written.sql,
    )


def _unused(file: File, report: PolicyReport, request: PolicyRequest) -> list[Finding]:
    """Exceptions that nothing needed: they would hide the next problem of that kind."""
    if (
        any(
            problem.check in ("runnable", "enum-value") and problem.path == file.migration.path
            for problem in report.problems
        )
        or "comment" in report.not_run
    ):
        return []
    return [
        broken(
            allow.check,
            file.migration.path,
            allow.line,
            f"`-- allow: {allow.check}` stands here, and nothing needs it",
            "remove the line",
        )
        for allow in file.every_allow()
        if allow not in file.used
        and allow.check in CHECKS
        and allow.reason
        and allow.check not in request.off
    ]
