"""What happens in a database now: changes under way, who waits for whom, and what would hold a change up.

Of a statement only its first words are read: the rest may hold a password.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from pgrehearse import queries
from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.execution.runbook.locks import LOCK_CLASS
from pgrehearse.findings import Finding
from pgrehearse.promotion.quantities import counted, told
from pgrehearse.status.fact import concern
from pgrehearse.status.look import Look, Unreadable

__all__ = ["Change", "Holding", "Now", "Waiting", "holding", "now"]

#: Who waits longer for a lock needs a person.
_PATIENCE = timedelta(seconds=5)
#: A transaction that is open longer would hold a change up.
_OLD = timedelta(minutes=5)
#: WAL that a slot nobody reads may keep: bytes.
_KEPT = 1 << 30
#: How PostgreSQL calls the process of a prepared transaction, which has none.
_PREPARED = 0
_GRANT = "GRANT pg_read_all_stats TO {user}, as a role that may"


@dataclass(frozen=True)
class Change:
    """A session that changes the database by a migration or a runbook.

    ``progress``: how far its statement is; None where PostgreSQL does not say, or not to this role.
    """

    kind: str
    pid: int
    user: str
    application: str
    running: timedelta | None
    statement: str
    progress: str | None


@dataclass(frozen=True)
class Waiting:
    """A session that waits for a lock, and those that hold it or wait before it."""

    pid: int
    user: str
    application: str
    waited: timedelta
    mode: str
    relation: str
    statement: str
    blockers: tuple[int, ...]


@dataclass(frozen=True)
class Holder:
    """A session that others wait for. ``transaction``: how long its transaction is open."""

    pid: int
    user: str
    application: str
    state: str
    transaction: timedelta | None
    statement: str


@dataclass(frozen=True)
class Now:
    """Changes under way, and the lock tree of this moment."""

    changes: tuple[Change, ...]
    waiting: tuple[Waiting, ...]
    blockers: tuple[Holder, ...]

    @property
    def said(self) -> str:
        parts = []
        if self.changes:
            one = self.changes[0]
            how = one.progress or (f"for {told(one.running)}" if one.running else "at work")
            parts.append(f"{one.kind}: {how}")
        if self.waiting:
            longest = max(one.waited for one in self.waiting)
            parts.append(f"{len(self.waiting)} waiting, {told(longest)}")
        return "; ".join(parts) or "nothing"

    @property
    def findings(self) -> list[Finding]:
        return list(self._findings())

    def _findings(self) -> Iterator[Finding]:
        for one in self.waiting:
            if one.waited > _PATIENCE:
                by, todo = self._first_before(one)
                yield concern(
                    f"pid {one.pid} ({one.user}) waits for {one.relation or 'a transaction'} for"
                    f" {told(one.waited)}, behind {by}",
                    todo,
                )

    def _first_before(self, one: Waiting) -> tuple[str, str]:
        """Who begins the line in which ``one`` waits, and what to do: whoever waits there too is no cause."""
        waiting = {other.pid: other for other in self.waiting}
        passed = {one.pid}
        while not any(pid not in waiting for pid in one.blockers):
            pids = [pid for pid in one.blockers if pid not in passed]
            if not pids:
                break
            one = waiting[pids[0]]
            passed.add(one.pid)
        known = {holder.pid: holder for holder in self.blockers}
        first = next((known[pid] for pid in one.blockers if pid in known and pid not in waiting), None)
        if first is None and _PREPARED in one.blockers:
            return (
                "a prepared transaction",
                "see pg_prepared_xacts: ROLLBACK PREPARED or COMMIT PREPARED ends it",
            )
        if first is None:
            return "somebody who is gone", "look again"
        idle = first.state.startswith("idle")  # canceling ends statements only
        end = f"SELECT pg_{'terminate' if idle else 'cancel'}_backend({first.pid})"
        return f"pid {first.pid} ({first.user}, {first.state})", f"ask its owner, or: {end}"


@dataclass(frozen=True)
class Transaction:
    """A transaction that is open for long. ``pid``: None of a prepared one, which ``name`` tells."""

    pid: int | None
    name: str
    user: str
    state: str
    open: timedelta


@dataclass(frozen=True)
class IdleSlot:
    """A replication slot that nobody reads. ``kept``: bytes of WAL that stay for it; None: they are lost."""

    name: str
    kept: int | None


@dataclass(frozen=True)
class Holding:
    """What would hold a change up.

    Attributes:
        transactions: open for long, prepared ones among them.
        slots: that nobody reads.
        age: transactions since the oldest row that is not frozen; ``age_limit``: where vacuum is forced.
        vacuums: against wraparound, which no waiting change cancels.
    """

    transactions: tuple[Transaction, ...]
    slots: tuple[IdleSlot, ...]
    age: int
    age_limit: int
    vacuums: int

    @property
    def said(self) -> str:
        parts = [
            counted(len(self.transactions), "old transaction") if self.transactions else "",
            counted(len(self.slots), "idle slot") if self.slots else "",
            counted(self.vacuums, "forced vacuum") if self.vacuums else "",
            f"age {self.age:,}" if self._too_old else "",
        ]
        return ", ".join(filter(None, parts)) or "nothing"

    @property
    def _too_old(self) -> bool:
        return self.age > 2 * self.age_limit

    @property
    def findings(self) -> list[Finding]:
        return list(self._findings())

    def _findings(self) -> Iterator[Finding]:
        for one in self.transactions:
            if one.pid is None:
                yield concern(
                    f"the prepared transaction {one.name!r} of {one.user} is open for {told(one.open)}",
                    "ask whoever prepared it: COMMIT PREPARED or ROLLBACK PREPARED ends it",
                )
            else:
                yield concern(
                    f"pid {one.pid} ({one.user}, {one.state}) has a transaction open for {told(one.open)}",
                    f"ask its owner, or: SELECT pg_terminate_backend({one.pid})",
                )
        for slot in self.slots:
            if slot.kept is None or slot.kept > _KEPT:
                size = "lost what it needs" if slot.kept is None else f"keeps {slot.kept >> 20:,} MB of WAL"
                yield concern(
                    f"nobody reads the slot {slot.name}, which {size}",
                    "start its reader, or drop it: pg_drop_replication_slot",
                )
        if self._too_old:
            yield concern(
                f"the oldest row is {self.age:,} transactions old; vacuum is forced at {self.age_limit:,}",
                "find what keeps vacuum from it: old transactions and slots, then VACUUM (FREEZE)",
            )


def now(look: Look) -> Now:
    """Changes under way and who waits."""
    ((changing, blocked),) = look.rows(queries.text("status_busy", runner=RUNNER[0], runs=LOCK_CLASS))
    changes = look.rows(queries.text("status_changes", **_KEYS)) if changing and not look.standby else []
    rows = look.rows(queries.text("status_waiting")) if blocked else []
    waiting = tuple(
        Waiting(pid, user, application, waited, mode, relation, words, tuple(blockers))
        for pid, user, application, waited, mode, relation, words, blockers in rows
    )
    pids = sorted({pid for one in waiting for pid in one.blockers})
    blockers = look.rows(queries.text("status_blockers"), [pids]) if pids else []
    return Now(
        tuple(_change(look, *row) for row in changes), waiting, tuple(Holder(*row) for row in blockers)
    )


_KEYS = {"runner": RUNNER[0], "runs": LOCK_CLASS, "migrations": RUNNER[1]}


def _change(
    look: Look, kind: str, pid: int, user: str, application: str, running: timedelta | None, words: str
) -> Change:
    rows = look.rows(queries.text("progress"), ["0/0", pid]) if look.sees_others else []
    said = next((text for text in rows[0][2:-1] if text), None) if rows else None
    return Change(kind, pid, user, application, running, words, said)


def holding(look: Look) -> Holding:
    """What would hold a change up. Raises Unreadable: the role sees its own transactions only."""
    if not look.sees_others:
        raise Unreadable(
            f"{look.user} may not see transactions of other roles", _GRANT.format(user=look.user)
        )
    transactions = look.rows(queries.text("status_transactions"), {"old": _OLD})
    slots = look.rows(queries.text("status_slots"))
    ((age, limit, vacuums),) = look.rows(queries.text("status_age"))
    return Holding(
        tuple(Transaction(*row) for row in transactions),
        tuple(IdleSlot(*row) for row in slots),
        age,
        limit,
        vacuums,
    )
