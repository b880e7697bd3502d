"""The facts of one statement, as a server showed them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pgrehearse.text.claims import MODES

__all__ = ["MODES", "PROBES", "WRITES", "Facts", "Through", "all_through", "strongest", "together"]

#: What is tried on a table while a statement holds its locks.
PROBES = ("SELECT", "SELECT FOR UPDATE", "INSERT", "UPDATE", "DELETE")
WRITES = ("INSERT", "UPDATE", "DELETE")


def strongest(modes: list[str]) -> str:
    """The strongest of ``modes``, which are not empty."""
    return max(modes, key=MODES.index)


@dataclass(frozen=True)
class Through:
    """Requests on a table wait where they reach its ``parts``: partitions or children. Others go on.

    ``whole``: probes that wait wherever they go, because of a foreign key for example.
    """

    parts: tuple[str, ...]
    whole: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON types only, keys sorted. Empty fields are left out."""
        return {"parts": list(self.parts)} | ({"whole": list(self.whole)} if self.whole else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Through:
        """What `to_json` wrote. Raises KeyError for something else."""
        return cls(tuple(value["parts"]), tuple(value.get("whole", ())))


@dataclass(frozen=True)
class Facts:
    """What one statement did on a disposable copy of a prepared database.

    Attributes:
        locks: relation -> strongest mode it was locked in, such as ``SHARE UPDATE EXCLUSIVE``. Relations
            that existed before only; the schema is named unless it is ``public``. Weak locks (up to ROW
            EXCLUSIVE) on indexes are left out. A lock on a type stands as ``type store``. Source: pg_locks,
            or conflicts with held locks and WAL records for a statement that refuses a transaction block.
        rewrites: tables and indexes that got a new file. Source: relfilenode before and after.
        scans: relations that were read whole. Source: rows read by sequential scans, DEBUG1 messages.
        probes: table -> probe -> ``ok`` or ``waits``: what other sessions could do while the statement's
            locks were held, or while it waited with them. Tables that are not locked appear only where
            something waits, such as the parent of a foreign key. Source: the probes themselves, blocked
            according to pg_blocking_pids.
        through: table -> its partitions or children where requests on it wait, and who waits elsewhere too.
            Source: the relation whose lock the probes wait for.
        row_locks: tables with rows the statement changed: only writers of the same rows wait for it.
        transactional: it runs inside BEGIN and can be rolled back.
        waits_for: modes held by transactions it waits for although they do not conflict with its lock,
            and ``old snapshots``. Source: waits on virtual transaction ids.
        sqlstate: the error it raised, or the empty string. Locks of a failed statement are those it asks for.
        messages: DEBUG1 lines, numbers of toast and temporary relations replaced by N.
        changed: table -> rows it updated or deleted. Never written, never compared: it depends on the rows.
        wal_bytes: bytes of WAL the whole server wrote meanwhile. Never compared.
        seconds: cost of the measurement. Never compared.
    """

    locks: Mapping[str, str] = field(default_factory=dict)
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    probes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    through: Mapping[str, Through] = field(default_factory=dict)
    row_locks: tuple[str, ...] = ()
    transactional: bool = True
    waits_for: tuple[str, ...] = ()
    sqlstate: str = ""
    messages: tuple[str, ...] = ()
    changed: Mapping[str, int] = field(default_factory=dict)
    wal_bytes: int = 0
    seconds: float = 0.0

    @property
    def waits(self) -> dict[str, list[str]]:
        """Table -> probes that wait on it; tables where none does are left out."""
        found = {
            name: [probe for probe in PROBES if probes.get(probe) == "waits"]
            for name, probes in sorted(self.probes.items())
        }
        return {name: probes for name, probes in found.items() if probes}

    @property
    def blocks_reads(self) -> tuple[str, ...]:
        """Tables on which SELECT waits."""
        return tuple(name for name, probes in sorted(self.probes.items()) if probes.get("SELECT") == "waits")

    @property
    def blocks_writes(self) -> tuple[str, ...]:
        """Tables on which INSERT, UPDATE or DELETE waits."""
        return tuple(
            name
            for name, probes in sorted(self.probes.items())
            if any(probes.get(probe) == "waits" for probe in WRITES)
        )

    @property
    def once_unused(self) -> tuple[str, ...]:
        """Tables it locks in ACCESS EXCLUSIVE mode as soon as nobody uses them, and queues for never.

        So no probe was stopped by it: nobody had to wait for its wait. Who comes while it has the lock does.
        VACUUM cuts off the empty end of a table so.
        """
        return tuple(
            name
            for name, mode in sorted(self.locks.items())
            if mode == MODES[-1] and self.probes.get(name, {}).get("SELECT") == "ok"
        )

    def comparable(self) -> dict[str, Any]:
        """`to_json` without what differs from run to run."""
        return {key: value for key, value in self.to_json().items() if key not in ("wal_bytes", "seconds")}

    def to_json(self) -> dict[str, Any]:
        """JSON types only, keys sorted. Empty fields are left out.

        The probes of a table are written as the list of those that wait.
        """
        waiting = {
            name: [probe for probe in PROBES if probes.get(probe) == "waits"]
            for name, probes in sorted(self.probes.items())
        }
        tried = {
            name: [probe for probe in PROBES if probe in probes]
            for name, probes in sorted(self.probes.items())
            if set(probes) != set(PROBES)
        }
        value: dict[str, Any] = {
            "locks": dict(sorted(self.locks.items())),
            "messages": list(self.messages),
            "rewrites": sorted(self.rewrites),
            "row_locks": sorted(self.row_locks),
            "scans": sorted(self.scans),
            "seconds": round(self.seconds, 3),
            "sqlstate": self.sqlstate,
            "through": {name: through.to_json() for name, through in sorted(self.through.items())},
            "transactional": self.transactional,
            "tried": tried,
            "waiting": waiting,
            "waits_for": list(self.waits_for),
            "wal_bytes": self.wal_bytes,
        }
        return {key: item for key, item in value.items() if item not in ({}, [], "")}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Facts:
        """The facts that `to_json` wrote. Raises KeyError or TypeError for something else."""
        tried = value.get("tried", {})
        probes = {
            name: {
                probe: "waits" if probe in waiting else "ok"
                for probe in PROBES
                if probe in tried.get(name, PROBES)
            }
            for name, waiting in value.get("waiting", {}).items()
        }
        return cls(
            locks=dict(value.get("locks", {})),
            rewrites=tuple(value.get("rewrites", ())),
            scans=tuple(value.get("scans", ())),
            probes=probes,
            through={name: Through.from_json(one) for name, one in value.get("through", {}).items()},
            row_locks=tuple(value.get("row_locks", ())),
            transactional=value["transactional"],
            waits_for=tuple(value.get("waits_for", ())),
            sqlstate=value.get("sqlstate", ""),
            messages=tuple(value.get("messages", ())),
            wal_bytes=value["wal_bytes"],
            seconds=value["seconds"],
        )


def together(several: Sequence[Facts]) -> Facts:
    """What several statements did, as if they were one: the strongest locks, all rewrites, all who waited."""
    locks: dict[str, list[str]] = {}
    probes: dict[str, dict[str, str]] = {}
    for facts in several:
        for relation, mode in facts.locks.items():
            locks.setdefault(relation, []).append(mode)
        for table, results in facts.probes.items():
            known = probes.setdefault(table, {})
            known |= {probe: result for probe, result in results.items() if known.get(probe) != "waits"}
    through = all_through([(facts.waits, facts.through) for facts in several])
    return Facts(
        locks={relation: strongest(modes) for relation, modes in sorted(locks.items())},
        probes=dict(sorted(probes.items())),
        rewrites=_union(facts.rewrites for facts in several),
        scans=_union(facts.scans for facts in several),
        through=through,
        row_locks=_union(facts.row_locks for facts in several),
        waits_for=_union(facts.waits_for for facts in several),
        transactional=all(facts.transactional for facts in several),
    )


def all_through(
    several: Iterable[tuple[Mapping[str, Collection[str]], Mapping[str, Through]]],
) -> dict[str, Through]:
    """`Facts.through` of several statements together, from ``waits`` and ``through`` of each."""
    parts: dict[str, set[str]] = {}
    waiting: dict[str, set[str]] = {}
    whole: dict[str, set[str]] = {}
    for waits, through in several:
        for table, probes in waits.items():
            one = through.get(table)
            parts.setdefault(table, set()).update(one.parts if one else ())
            waiting.setdefault(table, set()).update(probes)
            whole.setdefault(table, set()).update(one.whole if one else probes)
    return {
        table: Through(tuple(sorted(parts[table])), tuple(p for p in PROBES if p in whole[table]))
        for table in sorted(waiting)
        if waiting[table] - whole[table]
    }


def _union(tuples: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in tuples for name in names))
