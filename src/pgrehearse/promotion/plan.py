"""The plan of a promotion: exactly these migrations, for exactly these databases, under one hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pgrehearse.environments.declared import Environment
from pgrehearse.environments.target import Target
from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.findings import Finding
from pgrehearse.migration.runner import versions
from pgrehearse.migration.runner.versions import VersionState
from pgrehearse.promotion import reached
from pgrehearse.promotion.store import StepRecord
from pgrehearse.text.migration_files import Migration

__all__ = ["Member", "Plan", "files_of", "looked_at", "member", "pending", "plan_hash"]


@dataclass(frozen=True)
class Member:
    """A database of the plan.

    Attributes:
        name: what plan and account call it.
        states: every version there, as it was when it was looked at.
    """

    name: str
    target: Target
    states: tuple[VersionState, ...]

    @property
    def pending(self) -> list[Migration]:
        """What it does not have yet, in order."""
        return versions.choose(self.states, None)

    def has(self, migration: Migration) -> bool:
        """Whether ``migration`` is applied as the file stands."""
        return any(
            s.version == migration.version and s.state == "applied" and not s.adopted for s in self.states
        )


@dataclass(frozen=True)
class Plan:
    """``environment``: its name. ``migrations`` in order; ``databases``: names, in the order they are done.

    ``members``: those databases, looked at, without the ones that are skipped.
    """

    environment: str
    migrations: tuple[Migration, ...]
    members: tuple[Member, ...]
    databases: tuple[str, ...]

    @property
    def hash(self) -> str:
        """As PostgreSQL calculates it from what was requested."""
        return plan_hash(self.environment, self.databases, self.migrations)

    @property
    def items(self) -> list[dict[str, str]]:
        """The migrations as they are requested."""
        return [
            {"version": one.version, "name": one.path.stem, "sha256": one.sha256} for one in self.migrations
        ]


def member(name: str, target: Target, migrations: Sequence[Migration]) -> Member:
    """A database as it is now. Raises SetupError."""
    return Member(name, target, tuple(versions.read(target.conninfo, migrations)))


def looked_at(environment: Environment, name: str, migrations: Sequence[Migration]) -> Member:
    """The database that a group of ``environment`` calls ``name``, as it is now. Raises SetupError."""
    with reached.reached(environment, name) as (connection, target), versions.readable():
        return Member(name, target, tuple(versions.look(connection, migrations)))


def pending(environment: str, members: Sequence[Member]) -> Plan:
    """The plan of all that any of ``members`` lacks. Raises SetupError: nothing is pending."""
    found = {migration.version: migration for one in members for migration in one.pending}
    if not found:
        raise SetupError(
            f"nothing is pending in {environment}",
            next_step="pgrehearse db new writes a migration; pgrehearse promote status shows what was done",
        )
    chosen = tuple(found[version] for version in sorted(found))
    return Plan(environment, chosen, tuple(members), tuple(one.name for one in members))


def files_of(steps: Sequence[StepRecord], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """The files of what was requested; ``steps``: in one or more databases, in order.

    Raises ExpectationError: one is gone, or is not what it was.
    """
    known = {migration.version: migration for migration in migrations}
    found, wrong = [], []
    for record in steps:
        if record.target != steps[0].target:
            continue
        migration = known.get(record.version)
        if migration is None:
            wrong.append(_other(f"{record.name} is in the plan, and its file is gone"))
        elif migration.path.stem != record.name:
            wrong.append(_other(f"{record.name} was requested, and is called otherwise now", migration))
        elif migration.sha256 != record.sha256:
            wrong.append(_other(f"{record.name} was edited after it was requested", migration))
        else:
            found.append(migration)
    if wrong:
        raise ExpectationError.of(wrong)
    return tuple(found)


def plan_hash(environment: str, databases: Sequence[str], migrations: Sequence[Migration]) -> str:
    """The hash of a plan: a line for the environment, each database and each migration."""
    lines = [
        f"environment {environment}",
        *(f"database {name}" for name in databases),
        *(f"migration {one.version} {one.sha256} {one.path.stem}" for one in migrations),
    ]
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _other(message: str, migration: Migration | None = None) -> Finding:
    return Finding(
        message,
        migration.path if migration else None,
        kind="promotion",
        check="plan",
        next_step="put the file back as it was approved (git), or request the plan that is now",
    )
