"""Whether the databases of a plan have a backup that was proven to be restorable: their receipts, read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgrehearse.backup import original as originals
from pgrehearse.backup import receipt_store
from pgrehearse.backup.demand import Demand, best
from pgrehearse.connections import connect
from pgrehearse.environments.declared import Environment
from pgrehearse.environments.target import Target

__all__ = ["BackedUp", "look"]


@dataclass(frozen=True)
class BackedUp:
    """``said``: of the receipts that are enough, or a line for each thing that is missing."""

    enough: bool
    said: str
    next_step: str = ""


def look(environment: Environment, targets: Sequence[Target]) -> BackedUp:
    """Read the receipts in ``targets``. Nothing is restored here: that was done before.

    Raises SetupError, psycopg.Error: one cannot be read.
    """
    demand = Demand.declared(environment)
    proven, lines, following = [], [], ""
    for target in targets:
        original = originals.look(target)
        with connect(target.conninfo, autocommit=True) as connection:
            found = best(receipt_store.receipts(connection), demand, original, original.now)
        if found is None:
            lines.append(f"no backup of {target.database} was verified; {demand.level.said} is asked for")
            following = following or "pgrehearse backup take PLACE, then pgrehearse backup verify PLACE"
            continue
        receipt, lacks = found
        for one in lacks:
            lines.append(f"{target.database}, {one.check}: {one.said}")
            following = following or one.next_step
        if not lacks and receipt.level:
            proven.append(f"{target.database}: {receipt.backup}, {receipt.level.said}, {receipt.hash[:12]}")
    return BackedUp(not lines, "\n".join(lines or proven), following)
