"""The facts of a snapshot: which there are, what each says, and of which databases. One table.

The reference page is generated from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pgrehearse.status import activity, backup, drift, leftovers, migrations, promotions, server
from pgrehearse.status.fact import Known, Value
from pgrehearse.status.look import Look

__all__ = ["FACTS", "PAGE", "StatusRule"]

#: The page that says what to do about each, in a section of the fact's name.
PAGE = "guides/what-a-red-cell-means.md"


@dataclass(frozen=True)
class StatusRule:
    """One row.

    Attributes:
        title: as a head of a table.
        says: what the fact tells.
        red: what of it needs a person.
        value: the type of its value.
        read: how it is read; None: when the database is reached.
        everywhere: also of the databases of groups, not only of the one that keeps the promotions.
    """

    title: str
    says: str
    red: str
    value: type
    read: Callable[[Look], Value | Known] | None = None
    everywhere: bool = True


#: In the order they are read and shown.
FACTS: Mapping[str, StatusRule] = {
    "server": StatusRule(
        "server",
        "version; primary or standby, and how far that is behind; which environment the database says it is",
        "another mark than the file's; a standby without a primary, or more than a minute behind",
        server.ServerSeen,
    ),
    "rights": StatusRule(
        "rights",
        "the role that looked, and what it may not see",
        "nothing: the facts that it may not see are unknown",
        server.Rights,
        server.rights,
    ),
    "migrations": StatusRule(
        "migrations",
        "the newest version, how many are applied, which are pending",
        "one that was edited, lost, withdrawn, or comes late",
        migrations.Migrations,
        migrations.read,
    ),
    "promotion": StatusRule(
        "promotion",
        "the open promotion or the last one, how far it is, whom it waits for and since when",
        "whatever waits for a person; a database that failed; rules that are not installed",
        promotions.Promoted,
        promotions.read,
        everywhere=False,
    ),
    "now": StatusRule(
        "now",
        "migrations and runbooks under way, and who waits for whom",
        "somebody who has waited for more than five seconds",
        activity.Now,
        activity.now,
    ),
    "last": StatusRule(
        "last change",
        "the last twenty tries: who, when, how long, WAL, rewrites, the longest wait for a lock",
        "a migration that was not finished",
        migrations.Last,
        migrations.last,
    ),
    "drift": StatusRule(
        "drift",
        "the last comparison with the migrations: each difference, and the statement that puts it right",
        "every difference",
        drift.Drift,
        drift.read,
        everywhere=False,
    ),
    "leftovers": StatusRule(
        "leftovers",
        "INVALID indexes, rules NOT VALID, disabled triggers, helpers and unfinished runs of runbooks",
        "each of them",
        leftovers.Leftovers,
        leftovers.read,
    ),
    "holding": StatusRule(
        "holding up",
        "what a change would wait for: old and prepared transactions, slots nobody reads, forced vacuums",
        "a transaction open for more than five minutes, 1 GB kept by a slot, an age of twice the limit",
        activity.Holding,
        activity.holding,
    ),
    "backup": StatusRule(
        "backup",
        "the receipt of a backup, line by line: what was proven of it, and how old it is",
        "no receipt; one of less than the environment asks for, too old, or of another place or migration",
        backup.Backup,
        backup.read,
        everywhere=False,
    ),
}
