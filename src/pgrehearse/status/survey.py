"""One look at everything a project has: its environments file, its migrations, all databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgrehearse.environments.declared import Environment
from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.promotion import environments_file, reached
from pgrehearse.status import drift
from pgrehearse.status.everywhere import DEADLINE, look
from pgrehearse.status.memory import Memory
from pgrehearse.status.places import places
from pgrehearse.status.snapshot import LookTarget, Snapshot
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project

__all__ = ["Survey", "survey"]


@dataclass(frozen=True)
class Survey:
    """What is looked at, again and again. ``deadline``: seconds that each database gets."""

    project: Project
    environments: Sequence[Environment]
    migrations: Sequence[Migration]
    places: Sequence[LookTarget]
    memory: Memory
    deadline: float

    def look(self) -> list[Snapshot]:
        """Every database now, in the order of the file; when each was seen is kept, if that can be."""
        found = list(look(self.places, self.project, self.migrations, self.memory, self.deadline))
        order = {place.label: number for number, place in enumerate(self.places)}
        self.memory.keep()
        return sorted(found, key=lambda one: order[one.place.label])

    def compare(self) -> dict[str, str]:
        """Compare each environment's database with its migrations; environment -> why one could not be."""
        failed = {}
        for place in self.places:
            if not place.home:
                continue
            try:
                target = reached.home(place.environment)
                drift.compare(self.project, place.label, target, self.migrations)
            except PgRehearseError as error:
                failed[place.label] = error.message
        return failed


def survey(
    project: Project,
    migrations: Sequence[Migration],
    chosen: Sequence[str] = (),
    deadline: float = DEADLINE,
) -> Survey:
    """What ``chosen`` names, or all. Raises SetupError: there is no such environment, or no file."""
    path, environments = environments_file.load(project)
    names = [one.name for one in environments]
    for name in chosen:
        if name not in names:
            raise SetupError(
                f"no environment is called {name!r}", path=path, next_step=f"there are {', '.join(names)}"
            )
    return Survey(project, environments, migrations, places(environments, chosen), Memory(project), deadline)
