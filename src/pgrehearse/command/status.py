"""``pgrehearse status``: where every environment stands."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import click

from pgrehearse import clock
from pgrehearse.command import terminal
from pgrehearse.command.db.target import load_migrations
from pgrehearse.command.terminal import Column, Screen
from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.promotion.quantities import counted, told
from pgrehearse.status import as_json
from pgrehearse.status.everywhere import DEADLINE
from pgrehearse.status.fact import Fact, Known, Level, Unknown, worst
from pgrehearse.status.fact_table import FACTS
from pgrehearse.status.snapshot import Snapshot
from pgrehearse.status.survey import Survey, survey

__all__ = ["exit_status", "status"]

#: Facts that have a column; the others are told below where they need a person, or are unknown.
_COLUMNS = ("server", "migrations", "promotion", "now", "drift", "backup")
_COLORS: dict[str, str] = {Level.WELL: "green", Level.ATTENTION: "yellow", Level.UNKNOWN: "red"}
_MOST = 20  # databases of a group that are named


@click.command()
@click.argument("environments", nargs=-1)
@click.option("--json", "as_text", is_flag=True, help="Write JSON; the reference has its schema.")
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write a page: one file.")
@click.option(
    "--handbook", metavar="URL", default="", help="Where this handbook is, for links of the page to it."
)
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=2.0,
    show_default=True,
    help="Between two looks.",
)
@click.option("--drift", is_flag=True, help="Compare with the migrations first; it takes seconds for each.")
@click.option(
    "--deadline",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=DEADLINE,
    show_default=True,
    help="How long each database gets; what did not answer until then is unknown.",
)
def status(
    environments: tuple[str, ...],
    as_text: bool,
    html: Path | None,
    handbook: str,
    watch: bool,
    every: float,
    drift: bool,
    deadline: float,
) -> int:
    """Show where ENVIRONMENTS stand, or all of environments.toml. Nothing is changed, nobody is kept waiting.

    Of one environment all facts are shown. Exit status 1 when something needs a person, 69 when something is
    unknown, 0 when all is well.
    """
    if sum((as_text, html is not None, watch)) > 1:
        raise click.UsageError("choose one of --json, --html and --watch")
    project, migrations = load_migrations()
    wanted = survey(project, migrations, environments, deadline)
    for name, why in wanted.compare().items() if drift else ():
        click.echo(f"{name} could not be compared: {why}", err=True)
    if watch:
        _watch(wanted, every, full=len(environments) == 1)
    found = wanted.look()
    if as_text:
        click.echo(json.dumps(as_json.to_json(found), indent=2))
    elif html is not None:
        _write(found, html, handbook)
    else:
        _show(found, full=len(environments) == 1)
    return exit_status(found)


def exit_status(found: Sequence[Snapshot]) -> int:
    """What a shell is told."""
    return {
        Level.WELL: 0,
        Level.ATTENTION: ExpectationError.exit_code,
        Level.UNKNOWN: SetupError.exit_code,
    }[worst(one.level for one in found)]


def _write(found: Sequence[Snapshot], place: Path, handbook: str) -> None:
    try:
        from pgrehearse.dashboard import page
    except ModuleNotFoundError as error:
        raise SetupError(
            f"{error.name} is not installed", next_step="pip install 'pgrehearse[dashboard]'"
        ) from None
    page.write(found, place, handbook)
    click.echo(f"wrote {place}")


def _watch(wanted: Survey, every: float, *, full: bool) -> None:
    """Until somebody ends it."""
    screen, never = Screen(sys.stdout), threading.Event()
    while True:
        found = wanted.look()
        with screen.fresh():
            click.echo(f"{clock.now():%Y-%m-%d %H:%M:%S} UTC")
            _show(found, full=full)
        never.wait(every)


def _show(found: Sequence[Snapshot], *, full: bool) -> None:
    homes = [one for one in found if one.place.home]
    if full:
        for one in homes:
            click.echo(f"{one.place.label}: {one.level}")
            click.echo(_facts(one))
    else:
        click.echo(_table(homes))
    for line in _fleets([one for one in found if not one.place.home]):
        click.echo(line)
    for one in homes:
        for line in _concerns(one):
            click.echo(line)


def _table(homes: Sequence[Snapshot]) -> str:
    heads = [Column("environment"), Column("state"), *(Column(FACTS[name].title) for name in _COLUMNS)]
    rows = [(one.place.label, one.level, *(_cell(one.facts[name]) for name in _COLUMNS)) for one in homes]
    return terminal.table(heads, rows, within=terminal.width(), colors=_COLORS)


def _cell(fact: Fact) -> str:
    return fact.said if isinstance(fact, Known) else str(fact.level)


def _facts(one: Snapshot) -> str:
    rows = [(FACTS[name].title, fact.level, fact.said, _age(fact)) for name, fact in one.facts.items()]
    heads = (Column("fact"), Column("state"), Column("says"), Column("measured"))
    return terminal.table(heads, rows, within=terminal.width(), colors=_COLORS)


def _age(fact: Fact) -> str:
    at = fact.measured_at if isinstance(fact, Known) else fact.last_seen
    if at is None:
        return "never seen"
    age = told(clock.now() - at)
    return f"{age} ago" if isinstance(fact, Known) else f"last seen {age} ago"


def _fleets(members: Sequence[Snapshot]) -> Iterator[str]:
    """The databases of groups: how many are how, and those that are not well, the worst first."""
    order = list(Level)[::-1]
    for environment, group in groupby(members, key=lambda one: one.place.environment.name):
        found = sorted(group, key=lambda one: order.index(one.level))
        counts = [(level, sum(one.level == level for one in found)) for level in order]
        said = ", ".join(f"{many} {level}" for level, many in counts if many)
        yield f"{environment}, {counted(len(found), 'database')} of its groups: {said}"
        named = [one for one in found if one.level != Level.WELL]
        for one in named[:_MOST]:
            yield from _concerns(one)
        if len(named) > _MOST:
            yield f"  and {len(named) - _MOST} more; --json names all"


def _concerns(one: Snapshot) -> Iterator[str]:
    """What needs a person; what is unknown, once for each reason."""
    unknown: dict[tuple[str, str], list[str]] = {}
    for name, fact in one.facts.items():
        title = FACTS[name].title
        for finding in fact.findings:
            yield f"{one.place.label}: {title}: {finding.said}\n  next: {finding.next_step}"
        if isinstance(fact, Unknown):
            unknown.setdefault((fact.reason, fact.next_step), []).append(name)
    for (reason, next_step), names in unknown.items():
        seen = _age(one.facts[names[0]])
        which = "nothing" if len(names) == len(one.facts) else ", ".join(FACTS[n].title for n in names)
        head = "nothing is known" if which == "nothing" else f"{which}: unknown"
        following = f"\n  next: {next_step}" if next_step else ""
        yield f"{one.place.label}: {head}: {reason}; {seen}{following}"
