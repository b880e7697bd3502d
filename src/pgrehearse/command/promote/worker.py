"""``pgrehearse promote worker``: do the work of promotions over groups."""

from __future__ import annotations

import click

from pgrehearse.command.db.target import load_migrations, tell
from pgrehearse.command.db.up import done_line, patience
from pgrehearse.command.promote.common import at_environment
from pgrehearse.environments.permissions import Operation
from pgrehearse.errors import SetupError
from pgrehearse.execution.backoff import Backoff
from pgrehearse.migration.runner.runner import DoneMigration, RunnerOptions
from pgrehearse.promotion import workers
from pgrehearse.promotion.one_database import PromotionReporter
from pgrehearse.promotion.visit import Work
from pgrehearse.promotion.visits import Visits

__all__ = ["worker"]


@click.command()
@click.argument("environment")
@click.option(
    "--at-once",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Databases that this worker works at at a time.",
)
@click.option("--until-empty", is_flag=True, help="End when the queue is empty.")
@patience
def worker(
    environment: str, at_once: int, until_empty: bool, lock_timeout: str, attempts: int, wait: float
) -> int:
    """Take databases of ENVIRONMENT from the queue that environments.toml names, and apply what is due.

    Start it on as many machines as you like, with the project and the variables there. It does nothing until
    promote apply opens a wave. SIGTERM lets it finish what it works at. Killed in the middle, others go on
    with its databases after ten seconds.
    """
    options = RunnerOptions(lock_timeout, Backoff(attempts), wait)

    def done(database: str, one: DoneMigration) -> None:
        click.echo(done_line(f"{database}: applied", one))

    with at_environment(environment, "worker", Operation.PROMOTE) as found:
        if not found.step.environment.queue_env:
            raise SetupError(
                f"{environment} has no queue",
                path=found.step.file,
                line=found.step.environment.line,
                next_step='write queue_env = "QUEUE_DSN", the variable that leads to any database',
            )
        work = Work(found.step.environment, found.home.conninfo, lambda: load_migrations()[1])
        reporter = PromotionReporter(tell=tell, done=done, options=options)
        workers.serve(work, Visits(found.store.connection), at_once, reporter, until_empty=until_empty)
    return 0
