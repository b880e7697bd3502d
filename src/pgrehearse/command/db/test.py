"""``pgrehearse db test``: are the migrations right? On databases made for it."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import click

from pgrehearse.command.db.target import load_migrations
from pgrehearse.command.test import versions
from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.migration.trial import dbmate as second_opinion
from pgrehearse.migration.trial.dbmate import Dbmate
from pgrehearse.migration.trial.release import Release, release
from pgrehearse.migration.trial.trials import TrialPlan, run
from pgrehearse.migration.trial.tried import Tried
from pgrehearse.servers import Servers, orphans
from pgrehearse.text.project import Project

__all__ = ["test"]


@click.command()
@click.option("--pg", default="", help="Server majors, such as 15,17, or all.", metavar="MAJORS")
@click.option("--base", metavar="REF", help="Also upgrade the schema of this commit, branch or tag.")
@click.option("--dbmate", "with_dbmate", is_flag=True, help="Also apply the files with the real dbmate.")
@click.option("--rows", default=1000, show_default=True, help="Rows of the seed.")
@click.option("--server", help="Use this disposable server (URL or DSN) and start none.", metavar="URL")
def test(pg: str, base: str | None, with_dbmate: bool, rows: int, server: str | None) -> int:
    """Test the migrations on fresh databases: up from nothing; each one up, down and up again.

    Schemas are compared after each step. Then seed and smoke test. Exit status 1 if something is wrong, or
    was asked for and could not be run.
    """
    project, migrations = load_migrations()
    if not migrations:
        raise SetupError(
            "there is no migration yet",
            path=project.relative(project.migrations),
            next_step="pgrehearse db new NAME",
        )
    failed = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=orphans.prefix())))
        earlier: Release | None = release(project, base, folder) if base else None
        plan = TrialPlan(project, tuple(migrations), rows, earlier, _dbmate() if with_dbmate else None)
        servers = stack.enter_context(Servers(server))
        for major in versions(pg):
            failed += _one(servers, major, plan)
    return 1 if failed else 0


def _dbmate() -> Dbmate | PgRehearseError:
    try:
        return second_opinion.find()
    except SetupError as error:
        return error


def _one(servers: Servers, major: int | None, plan: TrialPlan) -> int:
    """Run on one major; 1 when something is not good."""
    started = time.monotonic()
    running = servers.get(major)
    click.echo(f"PostgreSQL {running.version}")
    steps = []
    for step in run(running, plan):
        steps.append(step)
        _print(plan.project, step)
    bad = [step for step in steps if not step.good]
    ok = sum(step.status == "ok" for step in steps)
    not_run = sum(step.status == "not run" for step in steps)
    spent = time.monotonic() - started
    click.echo(f"{ok} ok, {len(steps) - ok - not_run} failed, {not_run} not run, in {spent:.1f} s")
    return 1 if bad else 0


def _print(project: Project, step: Tried) -> None:
    click.echo(f"  {step.status:<7}  {step.name}{'  ' + step.detail if step.detail else ''}")
    for finding in step.findings:
        click.echo(finding.head(project.relative), err=True)
    if step.next_step and not step.good:
        click.echo(f"  next: {step.next_step}", err=True)
