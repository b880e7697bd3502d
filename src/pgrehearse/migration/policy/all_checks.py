"""All checks over the migrations of a project: about which files, in which order, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.findings import Finding
from pgrehearse.measurement.xray_schema import assumed
from pgrehearse.migration.policy import history, text_checks
from pgrehearse.migration.policy.judged_file import File, files
from pgrehearse.migration.policy.playback import Playback
from pgrehearse.migration.policy.policy_run import PolicyRun
from pgrehearse.migration.policy.register import CHECKS, broken
from pgrehearse.migration.policy.report import PolicyReport, PolicyRequest
from pgrehearse.migration.runner import versions
from pgrehearse.servers import Server, ordinary
from pgrehearse.text import layouts
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project

__all__ = ["check"]


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
    found = layouts.load(project.migrations, project.placeholders)
    if not found:
        raise DocumentError(
            "no migration is here, so nothing was read",
            path=project.migrations,
            next_step="pgrehearse db new NAME writes the first;"
            " [tool.pgrehearse] migrations names another folder",
        )
    report = PolicyReport()
    applied = _applied(project, request, found, report)
    chosen = _chosen(project, request, found, applied)
    report.checked = [migration.label for migration in chosen]
    report.exempt = len(applied & {migration.label for migration in found})
    read = files(found)
    todo = [file for file in read if file.migration in chosen]
    report.notes += layouts.unjudged(project.migrations, found)
    for file in todo:
        report.problems += [*file.misdeclared(), *text_checks.check(file)]
    report.coverage.total = sum(len(file.up) for file in todo)
    if server is None:
        reason = "--no-measure"
        report.not_run |= {name: reason for name, check in CHECKS.items() if check.kind != "text"}
    elif todo:
        report.server = request.remembered
        with ExitStack() as stack:

            def start() -> Playback:
                started = server()
                report.server = started.version
                within = stack.enter_context(ordinary(started)) if request.schema else started
                stage = stack.enter_context(
                    Playback(within, project, request.rows, request.schema, request.settings)
                )
                report.notes += [note for note in stage.notes if note not in report.notes]
                return stage

            PolicyRun(project, request, start, report, read, todo, progress).through()
        if not request.settings:
            report.notes += assumed(one.sql for file in todo for one in file.up)
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
    if request.conninfo is not None and any(migration.foreign for migration in found):
        report.not_run["applied"] = "the ledger of another tool is not read; --base says what is applied"
    elif request.conninfo is not None:
        states = versions.read(request.conninfo, found)
        report.problems += history.against_ledger(project.migrations, states)
        names |= {s.migration.label for s in states if s.migration and s.state in ("applied", "edited")}
    if request.base is None and request.conninfo is None and not request.names:
        report.not_run["applied"] = "neither --base nor --dsn says what is applied"
    return names


def _chosen(
    project: Project, request: PolicyRequest, found: Sequence[Migration], applied: set[str]
) -> list[Migration]:
    unknown = request.names - {migration.label for migration in found}
    if unknown:
        raise DocumentError(
            f"no migration {sorted(unknown)[0]!r}",
            path=project.migrations,
            next_step="name files of this folder",
        )
    if request.names:
        return [migration for migration in found if migration.label in request.names]
    return [migration for migration in found if migration.label not in applied]


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
