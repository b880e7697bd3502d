"""Databases that were compared and clean: who says the same again is not compared again.

Building what the migrations make takes most of a check, and its result depends on files, on who ran them, and
on the server's programs. So what a clean database said of itself is kept as a digest, under all that it was
compared with. Drift is never kept: it is found anew each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import PgRehearseError
from pgrehearse.migration.drift.lent import ScratchRunner
from pgrehearse.servers import binaries, remembered
from pgrehearse.text.migration_files import Migration

__all__ = ["Clean", "Memory", "basis"]

_KIND = "drift"
#: Packages whose code decides the answer.
_CODE = ("environments", "migration/drift", "migration/runner", "queries", "schema", "servers", "text")
#: Databases that are remembered for one set of migrations.
_MOST = 50


@dataclass(frozen=True)
class Clean:
    """What was found without drift.

    Attributes:
        named: roles that the definition makes: it takes them to read a database in the same way.
        notes: of the scratch server.
        digests: of what databases said of themselves.
    """

    named: tuple[str, ...]
    notes: tuple[str, ...]
    digests: tuple[str, ...]


def basis(
    runner: ScratchRunner, migrations: Sequence[Migration], roles: Path | None, major: int
) -> Iterator[bytes]:
    """All that a scratch database of ``migrations`` depends on."""
    yield repr((runner, major, binaries.find(major))).encode()
    yield roles.read_bytes() if roles is not None and roles.is_file() else b""
    yield remembered.code(*_CODE)
    for one in migrations:
        yield f"{one.path.name} {one.sha256}".encode()


class Memory:
    """What is known of databases that got ``migrations``, or of a file that says what they make.

    Args:
        file: the text of that file.
    """

    def __init__(
        self,
        runner: ScratchRunner,
        migrations: Sequence[Migration],
        roles: Path,
        major: int,
        file: str | None = None,
    ) -> None:
        self._name = remembered.digest([*basis(runner, migrations, roles, major), repr(file).encode()])

    def recalled(self) -> Clean | None:
        """What is known; None for nothing."""
        try:
            value = remembered.recall(_KIND, self._name)
            return Clean(tuple(value["named"]), tuple(value["notes"]), tuple(value["digests"]))
        except (OSError, ValueError, KeyError, TypeError, PgRehearseError):
            return None

    def keep(
        self, named: AbstractSet[str] = frozenset(), notes: Sequence[str] = (), digest: str = ""
    ) -> None:
        """Remember a database, or the file, without drift."""
        known = self.recalled()
        before = known.digests if known is not None and {*known.named} == named else ()
        digests = [*(one for one in before if one != digest), digest][-_MOST:]
        value = {"named": sorted(named), "notes": list(notes), "digests": digests}
        remembered.keep(_KIND, self._name, value)
