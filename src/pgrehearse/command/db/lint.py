"""``pgrehearse db lint``: the schema evolution policy, checked."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import click

from pgrehearse.command.db.target import project_with_migrations
from pgrehearse.command.formats import finish, format_option, readable
from pgrehearse.command.terminal import ProgressLine
from pgrehearse.errors import DocumentError
from pgrehearse.findings import Finding, Severity
from pgrehearse.measurement.xray_schema import zone
from pgrehearse.migration.policy import squawk as opinions
from pgrehearse.migration.policy.all_checks import check
from pgrehearse.migration.policy.register import CHECKS
from pgrehearse.migration.policy.report import PolicyReport, PolicyRequest
from pgrehearse.migration.policy.squawk import Opinion
from pgrehearse.servers import Servers, binaries
from pgrehearse.servers.binaries import SUPPORTED
from pgrehearse.text.layouts import load
from pgrehearse.text.project import Project

__all__ = ["lint"]


@click.command()
@click.argument("paths", metavar="[FILES]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--base", metavar="REF", help="Files that git has at REF are applied: unchanged, and not checked."
)
@click.option("--dsn", help="Files in the ledger of this database are applied. It is only read.")
@click.option(
    "--schema", type=click.Path(path_type=Path), help="Begin with this dump, not the applied files."
)
@click.option("--no-measure", is_flag=True, help="Only what needs no server.")
@click.option("--rows", default=1000, show_default=True, help="Rows of the example data to measure with.")
@click.option("--pg", type=click.Choice([str(major) for major in SUPPORTED]), help="Server major.")
@click.option("--server", help="Use this disposable server (URL or DSN) and start none.", metavar="URL")
@click.option("--squawk", is_flag=True, help="Add what Squawk says. It does not change the exit status.")
@click.option("--fresh", is_flag=True, help="Measure again what an earlier run measured of the same files.")
@click.option(
    "--fail-on",
    type=click.Choice([str(one) for one in Severity]),
    help="Exit 1 for findings of this severity or worse: hazard (default), policy, hygiene.",
)
@format_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def lint(
    paths: tuple[Path, ...],
    base: str | None,
    dsn: str | None,
    schema: Path | None,
    no_measure: bool,
    rows: int,
    pg: str | None,
    server: str | None,
    squawk: bool,
    fail_on: str | None,
    fresh: bool,
    form: str,
    as_json: bool,
) -> int:
    """Check migrations against the schema evolution policy. Exit status 1 when one is a hazard.

    Without FILES, all that --base or --dsn do not call applied. Each statement is measured on a disposable
    database that holds the earlier migrations and the seed's rows.

    The folder may be in the layout of another tool: golang-migrate, goose, sql-migrate, sqlx, Flyway, Prisma,
    node-pg-migrate, Drizzle, Liquibase, Atlas, diesel, or plain SQL by number. Its up parts are judged, and
    what is not read is named.
    """
    project = project_with_migrations()
    names = frozenset(_name(path, project) for path in paths)
    remembered = _version(server, pg)
    settings = (zone(dsn),) if dsn else ()
    request = PolicyRequest(names, base, dsn, schema, rows, settings, _off(project), remembered, fresh)
    started = time.monotonic()
    with Servers(server) as servers, ProgressLine(sys.stderr) as progress:
        start = None if no_measure else lambda: servers.get(int(pg) if pg else None)
        report = check(project, request, start, lambda name: progress.say(f"measuring {name}"))
    seconds = time.monotonic() - started
    opinion = _second(project, report, pg) if squawk else None
    if as_json or form == "json":
        click.echo(_json(project, report, opinion))
    else:
        if readable(form):
            _print(project, report, opinion, seconds)
        finish(form, [*report.problems, *(opinion.said if opinion else ())], project)
    least = Severity(fail_on) if fail_on else project.policy_fails_on
    return 1 if report.at_least(least) else 0


def _version(server: str | None, pg: str | None) -> str:
    """The exact version of the server that will be started; empty where one is given."""
    if server or os.environ.get("PGREHEARSE_SERVER"):
        return ""
    return binaries.find(int(pg) if pg else None).version


def _name(path: Path, project: Project) -> str:
    folder = project.migrations.resolve()
    if not path.resolve().is_relative_to(folder):
        raise DocumentError(
            "no migration of this project",
            path=path,
            next_step=f"name files of {project.relative(project.migrations)}",
        )
    return path.resolve().relative_to(folder).as_posix()


def _off(project: Project) -> dict[str, str]:
    unknown = set(project.policy_off) - set(CHECKS)
    if unknown:
        raise DocumentError(
            f"[tool.pgrehearse.policy-off] names no check: {sorted(unknown)[0]!r}",
            path=project.root / "pyproject.toml",
            next_step=f"known: {', '.join(CHECKS)}",
        )
    return dict(project.policy_off)


def _second(project: Project, report: PolicyReport, pg: str | None) -> Opinion:
    read = load(project.migrations, project.placeholders)
    chosen = [migration for migration in read if migration.label in report.checked]
    return opinions.ask(chosen, int(pg) if pg else None)


def _print(project: Project, report: PolicyReport, opinion: Opinion | None, seconds: float) -> None:
    for problem in report.problems:
        click.echo(problem.text(project.relative))
    if opinion is not None:
        _print_opinion(project, opinion)
    for reason, names in _grouped(report.not_run).items():
        click.echo(f"not run: {', '.join(names)} ({reason})")
    for note in report.notes:
        click.echo(f"note: {note}")
    if report.made:
        click.echo(f"note: rows were made for {', '.join(sorted(report.made))}; the seed gave none")
    if report.empty:
        click.echo(f"note: measured without rows: {', '.join(sorted(report.empty))}; the seed gave none")
    if report.server:
        click.echo(f"measured {report.coverage.said()} on PostgreSQL {report.server} in {seconds:.1f} s")
    count, wrong = len(report.checked), len(report.problems)
    exempt = f", {report.exempt} applied ones left out" if report.exempt else ""
    ranks = [sum(one.severity is rank for one in report.problems) for rank in Severity]
    each = ", ".join(f"{rank}: {number}" for number, rank in zip(ranks, Severity, strict=True) if number)
    which = f" ({each})" if each else ""
    click.echo(
        f"{count} migration{'s' * (count != 1)} checked{exempt}: {wrong} problem{'s' * (wrong != 1)}{which}"
    )


def _print_opinion(project: Project, opinion: Opinion) -> None:
    if opinion.missing:
        click.echo(f"not run: squawk ({opinion.missing})")
        return
    for remark in opinion.said:
        click.echo(remark.text(project.relative))
    click.echo(
        f"second opinion of {opinion.version}: {len(opinion.said)} remarks;"
        f" {len(opinions.OFF)} of its rules are switched off"
    )


def _grouped(not_run: dict[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, reason in not_run.items():
        found.setdefault(reason, []).append(name)
    return found


def _json(project: Project, report: PolicyReport, opinion: Opinion | None) -> str:
    value: dict[str, object] = {
        "checked": report.checked,
        "exempt": report.exempt,
        "problems": [_problem(finding, project) for finding in report.problems],
        "not_run": report.not_run,
        "coverage": report.coverage.to_json(),
        "server": report.server or None,
        "with_made_rows": sorted(report.made),
        "without_rows": sorted(report.empty),
        "notes": report.notes,
    }
    if opinion is not None:
        value["squawk"] = {
            "version": opinion.version or None,
            "not_run": opinion.missing or None,
            "said": [
                {
                    "path": one.place(project.relative),
                    "line": one.line,
                    "rule": one.check,
                    "message": one.message,
                }
                for one in opinion.said
            ],
        }
    return json.dumps(value, indent=2)


def _problem(finding: Finding, project: Project) -> dict[str, object]:
    return {
        "path": finding.place(project.relative),
        "line": finding.line or None,
        "rule": CHECKS[finding.check].rule,
        "check": finding.check,
        "severity": str(finding.severity),
        "message": finding.message,
        "statement": finding.statement or None,
        "measured": finding.detail or None,
        "next": finding.next_step,
        "page": finding.page,
    }
