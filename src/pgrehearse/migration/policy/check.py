"""All checks over the migrations of a project: about which files, in which order, and what is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.findings import Finding, Severity
from pgrehearse.measurement import made_rows
from pgrehearse.measurement.statement import relations as catalogs
from pgrehearse.measurement.statement.client import Client
from pgrehearse.measurement.statement.relations import Catalog
from pgrehearse.measurement.xray import Xray, xray
from pgrehearse.measurement.xray_rows import Row
from pgrehearse.measurement.xray_steps import FileStatement, steps
from pgrehearse.migration.policy import breaking, comments, cost_checks, history, interface, text_checks
from pgrehearse.migration.policy.coverage import Coverage
from pgrehearse.migration.policy.file import File, Written, files
from pgrehearse.migration.policy.playback import Failed, Playback
from pgrehearse.migration.policy.register import CHECKS, broken, unjudged
from pgrehearse.migration.policy.text_checks import timeouts
from pgrehearse.migration.runner import versions
from pgrehearse.servers import Server, ordinary
from pgrehearse.text import migration_files
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project
from pgrehearse.text.statement import classify

__all__ = ["PolicyReport", "PolicyRequest", "check"]

#: An error about rows, such as a NULL where none may be.
_OF_ROWS = re.compile(r"\(23\w{3}\)$")


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
        coverage: which statements were measured.
        server: on which version.
        not_run: check -> reason. Each was allowed: a check that could not run is a problem.
        made: tables that were measured with rows made for them, because the seed gave none.
        empty: tables that were measured without a row.
        notes: what of a dump could not be made, and what a replay took for granted.
        rows: what was measured, file name -> its statements.
    """

    problems: list[Finding] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    exempt: int = 0
    coverage: Coverage = field(default_factory=Coverage)
    server: str = ""
    not_run: dict[str, str] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    rows: dict[str, tuple[Row, ...]] = field(default_factory=dict)

    def at_least(self, least: Severity) -> list[Finding]:
        """The problems that are worth ``least`` or more."""
        ranks = list(Severity)
        return [one for one in self.problems if ranks.index(one.severity) <= ranks.index(least)]


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
    report.coverage.total = sum(len(file.up) for file in todo)
    if server is None:
        reason = "--no-measure"
        report.not_run |= {name: reason for name, check in CHECKS.items() if check.kind != "text"}
    elif todo:
        started = server()
        report.server = started.version
        with ExitStack() as stack:
            within = stack.enter_context(ordinary(started)) if request.schema else started
            stage = stack.enter_context(Playback(within, project, request.rows, request.schema))
            _Run(project, request, stage, report, todo, progress).through(read)
            report.notes += stage.notes
            report.notes += [f"the role {name} is taken for granted" for name in stage.roles.assumed]
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
        for number, file in enumerate(read):
            chosen = file in self.todo
            if not chosen and self.request.schema is not None:
                continue  # the dump holds it
            if not (self._look(file) if chosen and not file.unreadable else self._pass(file, chosen=chosen)):
                self._left(read[number:], file)
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
        return False

    def _pass(self, file: File, *, chosen: bool) -> bool:
        """Carry out a file that is applied, or that no runner could send: as psql would."""
        name = file.migration.path.name
        if chosen:
            self.report.coverage.leave(name, "a runner cannot send it", len(file.up))
        failed = self.stage.replay(file.migration)
        if failed is None:
            return True
        if not chosen and file.migration.version < self.todo[-1].migration.version:
            raise DocumentError(
                f"this applied migration does not run on an empty database: {failed.said}",
                path=file.migration.path,
                line=failed.line,
                next_step="start from a dump instead: --schema FILE, what pg_dump -s wrote"
                + _elsewhere(failed),
            )
        return False  # or it is later than what is checked: only a COMMENT ON of it could matter

    def _left(self, rest: Sequence[File], broken: File) -> None:
        """Nothing is known of the files after one that does not run."""
        for file in rest:
            if file in self.todo and file is not broken:
                name = file.migration.path.name
                reason = f"{broken.migration.path.name} before it does not run"
                self.report.coverage.leave(name, reason, len(file.up))
                self.report.problems.append(
                    unjudged(file.migration.path, file.migration.up.line, f"not judged, for {reason}")
                )


def _elsewhere(failed: Failed) -> str:
    """What else may help, where this server lacks something that another one has."""
    lacks = "is not available" in failed.said or "could not open extension" in failed.said
    return "; or name a server that has the extension: --server URL, --pg MAJOR" if lacks else ""


def _measure(stage: Playback, file: File, report: PolicyReport) -> bool:
    """Measure the statements of ``file``; whether one failed."""
    every = steps(file.migration.path)
    todo = [step for step in every if _worth(step)]
    name = file.migration.path.name
    report.coverage.leave(name, "COMMENT ON and SET keep nobody waiting", len(every) - len(todo))
    if not todo:
        return False
    found, before = _with_rows(stage, file, todo, report)
    known = frozenset(relation.name for relation in before.relations.values()) | found.known
    tables = frozenset(relation.name for relation in before.relations.values() if relation.is_readable)
    report.rows[name] = found.rows
    report.coverage.measured += sum(row.facts is not None for row in found.rows)
    for row in found.rows:
        if row.facts is None:
            report.coverage.leave(f"{name}:{row.step.line}", row.left or row.error, 1)
    touched = {table for row in found.rows if row.facts for table in row.facts.locks}
    report.empty |= set(found.empty) & touched
    report.problems += cost_checks.check(
        file,
        cost_checks.MeasuredStatement(
            found.rows, known, tables, stage.server.version, frozenset(found.empty)
        ),
    )
    return any(row.error for row in found.rows)


def _with_rows(
    stage: Playback, file: File, todo: Sequence[FileStatement], report: PolicyReport
) -> tuple[Xray, Catalog]:
    """Measure ``todo`` with rows. Where those that were made break a rule of the file, with plainer ones."""
    known = made_rows.constants(file.migration.up.sql)
    for words, made, nulls in ((known, True, True), ((), True, False), ((), False, False)):
        template = stage.filled(words, made=made, nulls=nulls)
        try:
            with Client(stage.server.dsn(template.name)) as client:
                before = catalogs.read(client)
            found = xray(stage.server, template.name, todo, repeated=stage.roles.repeated)
        finally:
            stage.drop(template.name)
        if not template.made or not any(_OF_ROWS.search(row.error) for row in found.rows):
            break
    touched = {table for row in found.rows if row.facts for table in row.facts.locks}
    report.made |= set(template.made) & touched
    return found, before


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
    return broken(
        "runnable",
        file.migration.path,
        failed.line,
        f"fails on the state the earlier files leave: {failed.said} ({failed.sqlstate})",
        f"mend the statement{_elsewhere(failed)}",
        failed.sql,
    )


def _unused(file: File, report: PolicyReport, request: PolicyRequest) -> list[Finding]:
    """Exceptions that nothing needed: they would hide the next problem of that kind."""
    if (
        any(
            problem.check in ("runnable", "enum-value", "judged") and problem.path == file.migration.path
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
