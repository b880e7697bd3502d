"""``pgrehearse promote status``: what is open, what was done, and whether the account can be believed."""

from __future__ import annotations

import json
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any

import click
import psycopg

from pgrehearse.command.db.target import load_migrations
from pgrehearse.command.promote import shown
from pgrehearse.command.promote.common import json_option
from pgrehearse.command.promote.fleet_shown import fleet_json, fleet_lines
from pgrehearse.errors import PgRehearseError
from pgrehearse.migration.runner import versions
from pgrehearse.promotion import audit, environments_file, reached
from pgrehearse.promotion.audit import Trail
from pgrehearse.promotion.environments_file import PromotionStep
from pgrehearse.promotion.quantities import counted
from pgrehearse.promotion.store import OPEN, Promotion, Store, opened
from pgrehearse.promotion.visits import Visits
from pgrehearse.text.characters import visible
from pgrehearse.text.migration_files import Migration

__all__ = ["status"]

_LAST = 5  # promotions that are shown


@click.command()
@click.argument("environment", required=False)
@click.option("--audit", "audited", is_flag=True, help="Show the audit trail, and verify it.")
@click.option(
    "--known", metavar="HASH", help="A hash of the trail that was noted earlier: is it still there?"
)
@json_option
def status(environment: str | None, audited: bool, known: str, as_json: bool) -> int:
    """Show the promotions of ENVIRONMENT, or of all: who waits for whom, and since when.

    Exit status 1 when the audit trail is not what was written, or an environment or its ledger cannot be
    looked at.
    """
    project, migrations = load_migrations()
    path, environments = environments_file.load(project)
    names = [one.name for one in environments] if environment is None else [environment]
    found = [
        _look(environments_file.step(project, name), migrations, path, audited or bool(known))
        for name in names
    ]
    if known:
        for one in found:
            one.look_for(known)
    if as_json:
        click.echo(json.dumps({one.name: one.to_json() for one in found}, indent=2))
    else:
        for one in found:
            one.show(audited)
    return 1 if any(one.wrong for one in found) else 0


class _Status:
    """One environment. ``unseen``: why it could not be looked at; ``unknown``: why not at what is pending.

    ``refused``: that is no matter of rights only.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.where = ""
        self.unseen = self.unknown = ""
        self.refused = False
        self.next_step = ""
        self.promotions: list[tuple[Promotion, str, dict[str, Any]]] = []
        self.pending: list[str] = []
        self.trail: Trail | None = None
        self.problems: list[str] = []

    @property
    def wrong(self) -> bool:
        return bool(self.unseen or self.refused or self.problems)

    def look_for(self, known: str) -> None:
        """A problem unless the trail has a hash that begins with ``known``."""
        if self.trail and not any(one.startswith(known) for one in self.trail.hashes):
            self.problems.append("the hash that was noted earlier is in the trail no more: it was rewritten")

    def look_at_ledger(
        self, conninfo: str, migrations: Sequence[Migration], requested: Set[str] = frozenset()
    ) -> None:
        """What is pending there, without what is ``requested``; or why that is not known."""
        try:
            states = versions.read(conninfo, migrations)
        except PgRehearseError as error:
            self.unknown, self.next_step = error.message, error.next_step or ""
            self.refused = not isinstance(error.__context__, psycopg.errors.InsufficientPrivilege)
            return
        names = [one.path.stem for one in versions.choose(states, None)]
        self.pending = [name for name in names if name not in requested]

    def to_json(self) -> dict[str, Any]:
        return {
            "database": self.where or None,
            "unseen": self.unseen or None,
            "promotions": [value for _, _, value in self.promotions],
            "pending": None if self.unknown else self.pending,
            "pending_unknown": self.unknown or None,
            "audit": self.trail
            and {"entries": list(self.trail.entries), "head": self.trail.head, "problems": self.problems},
        }

    def show(self, audited: bool) -> None:
        """For people."""
        click.echo(f"{self.name}: {visible(self.where)}" if self.where else f"{self.name}")
        if self.unseen:
            click.echo(f"  cannot be looked at: {self.unseen}\n    next: {self.next_step}", err=True)
            return
        for promotion, said, value in self.promotions:
            shown.told_promotion(promotion, said)
            for line in fleet_lines(value["fleet"]) if len(value["fleet"]) > 1 else ():
                click.echo(line)
        if self.pending:
            many = counted(len(self.pending), "migration")
            click.echo(
                f"  {many} pending and not requested: {self.pending[0]}{' ...' * (len(self.pending) > 1)}"
            )
        if self.unknown:
            click.echo(
                f"  what is pending is not known: {self.unknown}\n    next: {self.next_step}", err=True
            )
        elif not self.promotions and not self.pending:
            click.echo("  nothing was promoted, nothing is pending")
        if self.trail is not None:
            self._show_trail(self.trail, audited)

    def _show_trail(self, trail: Trail, audited: bool) -> None:
        for entry in trail.entries if audited else ():
            about, detail = entry["promotion"] or "", entry["detail"] or {}
            more = f": {said}" if (said := detail.get("called") or detail.get("state")) else ""
            line = f"  {entry['seq']:>4}  {entry['at']}  {entry['who']}  {entry['action']} {about}{more}"
            click.echo(visible(line).rstrip())
        for problem in self.problems:
            click.echo(f"error: {visible(problem)}", err=True)
        verified = "not what was written" if self.problems else "verified"
        click.echo(f"  audit trail: {len(trail.entries)} entries, {verified}; head {trail.head}")


def _look(step: PromotionStep, migrations: Sequence[Migration], path: Path, audited: bool) -> _Status:
    found = _Status(step.environment.name)
    try:
        home = reached.home(step.environment, session=False)
        found.where = f"{home.database} ({home.environment})"
        with opened(home.conninfo, "status") as store:
            if step.position == 0 and not store.installed():
                found.look_at_ledger(home.conninfo, migrations)
                return found
            wanted = store.rules().approvals
            for number, promotion in enumerate(store.promotions(_LAST)):
                if number == 0 or promotion.state in OPEN:
                    found.promotions.append(_told(store, promotion, wanted))
            if audited:
                found.trail = audit.read(store.connection)
                found.problems += found.trail.problems
            current = store.current()
            requested = {one.name for one in store.steps(current.id)} if current else set()
            found.look_at_ledger(home.conninfo, migrations, requested)
    except PgRehearseError as error:
        found.unseen, found.next_step = error.message, error.next_step or ""
    return found


def _told(store: Store, promotion: Promotion, wanted: int) -> tuple[Promotion, str, dict[str, Any]]:
    approvals, steps = store.approvals(promotion.id), store.steps(promotion.id)
    said = shown.standing(promotion, approvals, wanted, steps)
    fleet = fleet_json(Visits(store.connection).all(promotion.id))
    return promotion, said, {**shown.promotion_json(promotion, approvals, steps), "fleet": fleet}
