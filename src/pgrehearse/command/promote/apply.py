"""``pgrehearse promote apply`` and ``resume``: carry out what was approved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import click

from pgrehearse.command.db.target import tell
from pgrehearse.command.db.up import done_line, patience
from pgrehearse.command.promote import shown
from pgrehearse.command.promote.common import at_environment, json_option
from pgrehearse.environments.permissions import Operation
from pgrehearse.errors import SetupError
from pgrehearse.execution.backoff import Backoff
from pgrehearse.migration.runner.runner import DoneMigration, RunnerOptions
from pgrehearse.promotion import apply as applying
from pgrehearse.promotion.gates import GateAnswer
from pgrehearse.promotion.one_database import PromotionReporter
from pgrehearse.promotion.prepared import Prepared
from pgrehearse.promotion.quantities import counted
from pgrehearse.promotion.visits import Visits
from pgrehearse.text.migration_files import Migration

__all__ = ["apply", "resume"]


def _sizes(command: Callable[..., int]) -> Callable[..., int]:
    """Options of a command that goes over a group."""
    for name, what in (
        ("at-once", "Databases that are worked at at a time; 0: as many as the workers take."),
        ("wave", "Databases of each later wave; 0: all the rest."),
        ("canary", "Databases of the first wave."),
    ):
        command = click.option(f"--{name}", type=click.IntRange(min=0), metavar="N", help=what)(command)
    return command


@click.command()
@click.argument("environment")
@_sizes
@patience
@json_option
def apply(
    environment: str, lock_timeout: str, attempts: int, wait: float, as_json: bool, **sizes: int | None
) -> int:
    """Apply the approved promotion to ENVIRONMENT, when every gate is green.

    Approvals, plan and gates are looked at again in the transaction that starts it. Killed at any moment, run
    it again: it goes on where it was. At the first surprise it stops, and status says why.

    A group goes in waves, the canaries first; each begins when all of the one before are done. Sizes and what
    stops it stand in environments.toml, and the work is done by promote worker where it names a queue.
    """
    with at_environment(environment, "apply", Operation.PROMOTE, quiet=as_json) as found:
        _carry_out(found, RunnerOptions(lock_timeout, Backoff(attempts), wait), sizes, as_json)
    return 0


@click.command()
@click.argument("environment")
@_sizes
@patience
@json_option
def resume(
    environment: str, lock_timeout: str, attempts: int, wait: float, as_json: bool, **sizes: int | None
) -> int:
    """Go on with the promotion to ENVIRONMENT that was stopped: apply, for one that was begun.

    Databases that failed are tried again, those that are done or skipped are left alone. Waves stay as they
    were made when it was begun.
    """
    with at_environment(environment, "resume", Operation.PROMOTE, quiet=as_json) as found:
        if found.current is None or found.current.state not in ("stopped", "applying"):
            raise SetupError(
                f"nothing was begun in {environment} and is not finished",
                next_step=f"pgrehearse promote status {environment} shows what is open",
            )
        _carry_out(found, RunnerOptions(lock_timeout, Backoff(attempts), wait), sizes, as_json)
    return 0


def _carry_out(
    found: Prepared, options: RunnerOptions, sizes: Mapping[str, int | None], as_json: bool
) -> None:
    given = {key: value for key, value in sizes.items() if value is not None}
    reporter = PromotionReporter(tell, options=options) if as_json else _reporter(options)
    promotion = applying.apply(found, reporter, given)
    if as_json:
        click.echo(shown.current_json(found.store, promotion.id))
        return
    skipped = Visits(found.store.connection).skipped(promotion.id)
    but = f"; skipped: {counted(len(skipped), 'database')}" if skipped else ""
    click.echo(f"promotion {promotion.id} is applied in {found.step.environment.name}{but}")


def _reporter(options: RunnerOptions) -> PromotionReporter:
    def gates(answers: Sequence[GateAnswer]) -> None:
        if all(answer.green for answer in answers):  # red ones are told with the refusal
            click.echo(shown.gate_lines(answers))

    def done(database: str, one: DoneMigration) -> None:
        click.echo(done_line(f"{database}: applied", one))

    def there(database: str, migration: Migration) -> None:
        click.echo(f"{database}: {migration.path.stem} was applied before")

    return PromotionReporter(tell, gates, done, there, options)
