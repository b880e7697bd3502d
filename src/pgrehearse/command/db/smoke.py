"""``pgrehearse db smoke``: does the database keep what ``db/smoke.sql`` promises?"""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from pgrehearse.command.db.target import announce, dsn_option, environment_option, find
from pgrehearse.command.formats import finish, format_option, readable
from pgrehearse.environments.permissions import Operation
from pgrehearse.environments.target import Target
from pgrehearse.errors import PgRehearseError
from pgrehearse.migration.runner import versions
from pgrehearse.migration.smoke import contract
from pgrehearse.migration.smoke import smoke as smoke_run
from pgrehearse.migration.smoke.objects import KINDS
from pgrehearse.migration.smoke.smoke import SmokeOptions, SmokeReport
from pgrehearse.text import migration_files
from pgrehearse.text.project import Project

__all__ = ["smoke"]


@click.command()
@dsn_option
@environment_option
@click.option("--read-only", is_flag=True, help="Write nothing; for staging and production.")
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="The contract.  [default: smoke.sql beside the seed, db/smoke.sql]",
)
@click.option("--rows", default=1000, show_default=True, help="Rows of the seed, where tables are empty.")
@click.option(
    "--statement-timeout",
    default="5s",
    show_default=True,
    help="How long a statement may take with --read-only.",
)
@format_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def smoke(
    dsn: str | None,
    environment: str | None,
    read_only: bool,
    file: Path | None,
    rows: int,
    statement_timeout: str,
    form: str,
    as_json: bool,
) -> int:
    """Try what db/smoke.sql says of constraints, indexes, labels, defaults and triggers.

    All in one transaction that is rolled back; empty tables get the seed first. With --read-only only
    catalogs, plans and queries are looked at. Exit status 1 if something is not so, or is not in the file.
    """
    project = Project.find(Path.cwd())
    target = find(dsn, environment, Operation.READ if read_only else Operation.SMOKE)
    path = file or near(project.seed.with_name("smoke.sql"))
    promised = contract.load(path)
    options = SmokeOptions(
        read_only=read_only,
        seed=near(project.seed) if project.seed.is_file() else None,
        rows=rows,
        statement_timeout=statement_timeout if read_only else "0",
    )
    report = smoke_run.run(target.conninfo, promised, options)
    shown = project.relative(path)
    if as_json or form == "json":
        click.echo(json.dumps(_value(target, shown, read_only, report), indent=2))
    else:
        if readable(form):
            announce(target)
            _print(project, report)
            _pending(target, project, report)
        finish(form, report.findings, project)
    return 1 if report.findings else 0


def near(path: Path) -> Path:
    """``path`` from the working directory: what messages name is what can be opened."""
    return Path(os.path.relpath(path))


def _print(project: Project, report: SmokeReport) -> None:
    if report.seeded:
        click.echo(f"{project.relative(project.seed)} loaded, to be rolled back")
    for kind, (covered, there) in report.covered.items():
        if there:
            click.echo(f"{KINDS[kind]:<17} {covered:>3} of {there} in the contract")
    for object_, reason in report.left_out:
        click.echo(f"left out: {object_}: {reason}")
    looked_up = f", {report.looked_up} looked up in the catalogs" if report.looked_up else ""
    click.echo(f"{report.tried} entries tried{looked_up}; {len(report.findings) or 'nothing'} wrong")
    for finding in report.findings:
        click.echo(finding.text(project.relative), err=True)


def _pending(target: Target, project: Project, report: SmokeReport) -> None:
    """A contract is that of all migrations; say so where some are pending."""
    if not report.findings:
        return
    try:
        states = versions.read(target.conninfo, migration_files.load(project.migrations))
    except PgRehearseError:
        return
    pending = sum(state.state == "pending" for state in states)
    if pending and pending < len(states):
        click.echo(f"{pending} migrations are pending here; the contract is that of all", err=True)


def _value(target: Target, path: str, read_only: bool, report: SmokeReport) -> dict[str, object]:
    return {
        "database": target.database,
        "environment": target.environment,
        "contract": path,
        "read_only": read_only,
        "seeded": report.seeded,
        "tried": report.tried,
        "looked_up": report.looked_up,
        "covered": {kind: {"covered": c, "there": t} for kind, (c, t) in report.covered.items()},
        "left_out": [{"object": name, "reason": reason} for name, reason in report.left_out],
        "findings": [
            {"line": f.line, "about": f.about, "message": f.message, "next_step": f.next_step}
            for f in report.findings
        ],
    }
