"""What ``backup take`` and ``verify`` begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from pgrehearse.backup import original as originals
from pgrehearse.backup.adapter import Adapter, WorkOptions
from pgrehearse.backup.adapters import ADAPTERS
from pgrehearse.backup.demand import Demand
from pgrehearse.backup.original import Original
from pgrehearse.command.backup import shown
from pgrehearse.command.db.target import announce, find, tell
from pgrehearse.environments.permissions import Operation
from pgrehearse.environments.target import Target
from pgrehearse.errors import SetupError
from pgrehearse.promotion import environments_file
from pgrehearse.text.project import Project

__all__ = [
    "adapter_option",
    "declared",
    "into_option",
    "jobs_option",
    "looked_at",
    "options_option",
    "working",
]

adapter_option: Callable[[Any], Any] = click.option(
    "--adapter", "adapter_name", type=click.Choice(list(ADAPTERS)), help="What makes, or made, the backup."
)
options_option: Callable[[Any], Any] = click.option(
    "--option",
    "options",
    metavar="NAME=VALUE",
    multiple=True,
    help="For the adapter; the reference lists them.",
)
into_option: Callable[[Any], Any] = click.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where the copy is made and removed again; where temporary files go, unless said.",
)
jobs_option: Callable[[Any], Any] = click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="How much is done at the same time.",
)


def looked_at(dsn: str | None, environment: str | None) -> tuple[Target, Original]:
    """The database that is, or was, backed up."""
    target = find(dsn, environment, Operation.KEEP_BACKUP)
    announce(target)
    return target, originals.look(target)


def declared(target: Target) -> Demand:
    """What the project's environments.toml asks of a database of that mark, or what is asked anywhere."""
    project = Project.find(Path.cwd())
    if not (project.root / environments_file.NAME).is_file():
        return Demand.of(target.environment)
    _, environments = environments_file.load(project)
    marked = [one for one in environments if one.mark == target.environment]
    return Demand.declared(marked[-1]) if marked else Demand.of(target.environment)


@contextmanager
def working(
    of: type[Adapter],
    place: str,
    original: Original,
    options: tuple[str, ...],
    jobs: int,
    into: Path | None = None,
) -> Iterator[Adapter]:
    """The adapter at work on ``place``, its progress shown."""
    given = {}
    for one in options:
        name, sign, value = one.partition("=")
        if not sign or name not in of.knows:
            raise SetupError(
                f"{of.name} has no option {name!r}" if sign else f"{one!r} is not NAME=VALUE",
                next_step=f"it knows {', '.join(of.knows) or 'none'}",
            )
        given[name] = value
    with shown.progress() as progress:
        yield of(place, original, WorkOptions(into, jobs, progress, tell, given))
