"""Each migration up, down and up again: its down part must lead exactly to where its up part began.

A down part that cannot do so says it, in a comment of its own::

    -- migrate:down
    -- not restored: PostgreSQL cannot remove an enum label

Then differences are told and not counted. The comment is held to what it says: a down part that restores
everything must not have it, and the way up must lead to the same schema in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pgrehearse.errors import PgRehearseError
from pgrehearse.migration.runner import runner
from pgrehearse.migration.trial.tried import FAILED, OK, Tried, different, failed, from_error
from pgrehearse.schema import Differences, Schema, differences, read
from pgrehearse.text.migration_files import Migration

__all__ = ["RoundTrip", "apply"]

_NEXT = "mend the down part; if PostgreSQL cannot: write `-- not restored: REASON` into it"


def apply(conninfo: str, migrations: Sequence[Migration], to: str | None = None) -> int:
    """Apply what is pending up to version ``to``, and return how many. Raises as `migration.up.up` does."""
    return sum(1 for _ in runner.up(conninfo, migrations, to=to))


class RoundTrip:
    """Walks through ``migrations`` on an empty database.

    Args:
        empty: makes an empty database and returns its connection string.

    After ``steps`` is exhausted, ``schema`` is what all migrations make, or None where they fail, and
    ``conninfo`` the database they made it in.
    """

    def __init__(self, migrations: Sequence[Migration], empty: Callable[[], str]) -> None:
        self.migrations = list(migrations)
        self._empty = empty
        self.conninfo = ""
        self.schema: Schema | None = None

    def steps(self) -> Iterator[Tried]:
        """Try one migration after the other. A failure of one does not hide that of the next."""
        self.conninfo = self._empty()
        before = read(self.conninfo)
        for number, migration in enumerate(self.migrations):
            known = self.migrations[: number + 1]
            try:
                apply(self.conninfo, known)
            except PgRehearseError as error:
                yield from_error(migration.path.stem, error)
                return
            after = read(self.conninfo)
            step = self._there_and_back(migration, known, before, after)
            if step.status == FAILED and migration is not self.migrations[-1]:
                # What it left may break the next one, which is not to blame.
                self.conninfo = self._empty()
                apply(self.conninfo, known)
            before = after
            yield step
        self.schema = before

    def _there_and_back(
        self, migration: Migration, known: Sequence[Migration], before: Schema, after: Schema
    ) -> Tried:
        name, path = migration.path.stem, migration.path
        if migration.down is None:
            fix = "write `-- migrate:down` with the way back, or with -- not restored: REASON"
            return failed(name, ["no down part"], fix, path, migration.up.line)
        reason, line = migration.not_restored, migration.down.line
        try:
            for _ in runner.down(self.conninfo, known):
                pass
            problems = _problems(differences(before, read(self.conninfo)), reason)
            if not problems:
                apply(self.conninfo, known)
                again = differences(after, read(self.conninfo))
                problems = different(again, "the second up lacks", "the second up has besides")
                line = migration.up.line
        except PgRehearseError as error:
            return from_error(name, error)
        if problems:
            return failed(name, problems, _NEXT, path, line)
        return Tried(name, OK, f"up, down (not restored: {reason}), up" if reason else "up, down, up")


def _problems(found: Differences, reason: str) -> list[str]:
    if reason:
        return [] if found else [f"the down part restores everything, but says: not restored: {reason}"]
    return different(found, "the down part loses", "the down part leaves")
