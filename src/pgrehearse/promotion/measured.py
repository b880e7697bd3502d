"""What the migrations of a plan did on a disposable server: the facts, the policy's findings, a rehearsal.

Measuring takes seconds, and its result depends on files and the server's major alone. So it is kept below
``.pgrehearse/``, sealed, under the hash of all that it depends on, for the next command that asks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgrehearse import sealed
from pgrehearse.errors import PgRehearseError
from pgrehearse.measurement.words import for_a_moment, how_long, locked, requested, requests
from pgrehearse.promotion.quantities import counted
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.passwords import redacted
from pgrehearse.text.project import Project

if TYPE_CHECKING:
    from pgrehearse.measurement.xray_rows import Row
    from pgrehearse.servers import Server

__all__ = ["Measured", "StatementFacts", "measured"]

_FORM = 3  # of the kept file


@dataclass(frozen=True)
class StatementFacts:
    """What one statement did. ``waits``: who waits for it and how long, a line each; empty for nobody."""

    migration: str
    line: int
    statement: str
    locks: str
    rewrites: tuple[str, ...]
    waits: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        server: version of the server.
        statements: of the plan, in order.
        findings: of the policy, in words with their places.
        not_measured: why the policy could not look at all it should; empty when it did.
        failed: what the rehearsal raised; empty when everything was applied.
        milliseconds: what applying the plan took there, on tables without rows.
    """

    server: str
    statements: tuple[StatementFacts, ...]
    findings: tuple[str, ...]
    not_measured: str
    failed: str
    milliseconds: float


def measured(
    project: Project,
    migrations: Sequence[Migration],
    plan: Sequence[Migration],
    major: int,
    tell: Callable[[str], None],
) -> Measured:
    """Measure ``plan`` on a server of ``major``, on top of all ``migrations`` before it; or recall it.

    Raises SetupError: no such server can be had.
    """
    key = _key(project, migrations, plan, major)
    place = project.records / "promotion" / f"{key}.json"
    known = _recalled(place, key)
    if known is not None:
        return known
    from pgrehearse.servers import Servers  # a tenth of a second that an answer from the file does not need

    tell(f"measuring {counted(len(plan), 'migration')} on PostgreSQL {major}")
    with Servers() as servers:
        server = servers.get(major)
        found = _measure(server, project, migrations, plan)
    sealed.write(place, {"form": _FORM, "key": key, **asdict(found)})
    return found


def _measure(
    server: Server, project: Project, migrations: Sequence[Migration], plan: Sequence[Migration]
) -> Measured:
    # As in `measured`: most commands of promotion measure nothing.
    from pgrehearse.execution.maker import Maker
    from pgrehearse.migration.policy.all_checks import check
    from pgrehearse.migration.policy.report import PolicyRequest
    from pgrehearse.migration.runner import runner

    failed, spent = "", 0.0
    maker = Maker(server)
    try:
        conninfo = server.dsn(maker.create("rehearsal"))
        planned = {migration.version for migration in plan}
        through = [one for one in migrations if one.version <= plan[-1].version]
        for done in runner.up(conninfo, through):
            if done.migration.version in planned:
                spent += done.outcome.seconds * 1000
    except PgRehearseError as error:
        failed = str(error).replace(f"{project.root}/", "")
    finally:
        maker.close()
    names = frozenset(migration.path.name for migration in plan)
    report = check(project, PolicyRequest(names, off=dict(project.policy_off)), lambda: server)
    left_out = {reason for name, reason in report.not_run.items() if name not in project.policy_off}
    return Measured(
        server.version,
        tuple(_facts(name, row) for name, rows in report.rows.items() for row in rows if row.facts),
        tuple(finding.head(project.relative) for finding in report.problems),
        "; ".join(sorted(left_out - {"neither --base nor --dsn says what is applied"})),
        failed,
        round(spent, 1),
    )


def _facts(name: str, row: Row) -> StatementFacts:
    assert row.facts is not None
    long = how_long(
        in_transaction=bool(row.step.block),
        in_turn=row.in_turn,
        rewrites=row.rewrites,
        stalls=row.stalls,
    )
    waits = tuple(
        f"{requests(probes)} on {table}{reach} {long}"
        for table, reach, probes in requested(dict(row.waits), row.through)
    )
    waits += tuple(one for one in [for_a_moment(row.once_unused, by_table=True)] if one)
    statement = " ".join(redacted(row.step.statement).split())
    return StatementFacts(
        name.removesuffix(".sql"), row.step.line, statement, locked(row.facts), row.rewrites, waits
    )


def _key(project: Project, migrations: Sequence[Migration], plan: Sequence[Migration], major: int) -> str:
    """Everything the result depends on, but the minor version of the server, which it names."""
    digest = hashlib.sha256()
    words: list[Any] = [_FORM, version("pgrehearse"), major, sorted(project.policy_off.items())]
    words += [(one.version, one.sha256) for one in migrations if one.version <= plan[-1].version]
    words += [one.version for one in plan]
    for file in (project.seed, project.changes):
        words.append(hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "")
    digest.update(json.dumps(words).encode())
    return digest.hexdigest()[:24]


def _recalled(place: Path, key: str) -> Measured | None:
    """What was kept under ``key``; None for what somebody else wrote, or copied there."""
    try:
        value = sealed.read(place)
        if (value.pop("form"), value.pop("key")) != (_FORM, key):
            return None
        statements = tuple(
            StatementFacts(**{**one, "rewrites": tuple(one["rewrites"]), "waits": tuple(one["waits"])})
            for one in value.pop("statements")
        )
        return Measured(statements=statements, findings=tuple(value.pop("findings")), **value)
    except (sealed.Broken, ValueError, TypeError, KeyError):
        return None
