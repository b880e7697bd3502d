"""What a database showed of a file, kept for the next run: the same question has the same answer.

The question is everything that the answer depends on: the file, all files before it, seed, roles and dump,
how many rows, the exact version of the server, and the code that measures. Its digest names the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from pgrehearse.errors import PgRehearseError
from pgrehearse.measurement.statement.facts import Facts, Through
from pgrehearse.measurement.xray_rows import Row
from pgrehearse.measurement.xray_steps import FileStatement, steps
from pgrehearse.migration.policy import comments, interface
from pgrehearse.migration.policy.judged_file import File, Written
from pgrehearse.migration.policy.playback import Failed
from pgrehearse.migration.policy.report import PolicyRequest
from pgrehearse.migration.policy.seen import Seen, worth
from pgrehearse.servers import remembered
from pgrehearse.text.project import Project

__all__ = ["Memory"]

_KIND = "policy"
#: Packages whose code decides the answer.
_CODE = ("measurement", "migration/policy", "queries", "execution", "text")
_SETS = ("known", "tables", "empty", "made")


class Memory:
    """Answers about the files ``read``. Without the version of a server in ``request`` there are none."""

    def __init__(self, project: Project, request: PolicyRequest, read: Sequence[File]) -> None:
        self._read = read
        self._version, self._fresh = request.remembered, request.fresh
        self._all = remembered.digest(file.migration.sha256.encode() for file in read)
        self._names: list[str] = []
        if not self._version:
            return
        name = remembered.digest(_basis(project, request))
        for file in read:
            name = remembered.digest(
                [name.encode(), file.migration.label.encode(), file.migration.sha256.encode()]
            )
            self._names.append(name)

    def recalled(self, number: int) -> Seen | None:
        """What is known of the file ``number``."""
        if not self._version or self._fresh:
            return None
        try:
            value = remembered.recall(_KIND, self._names[number])
            return _read(value, self._read[number]) if value["all"] in ("", self._all) else None
        except (OSError, ValueError, KeyError, TypeError, IndexError, PgRehearseError):
            return None

    def keep(self, number: int, seen: Seen) -> None:
        """Remember ``seen``. Where that cannot be, it is measured again."""
        if not self._version:
            return
        value = _written(seen, self._read[number]) | {"all": self._all if seen.of_all else ""}
        remembered.keep(_KIND, self._names[number], value)


def _basis(project: Project, request: PolicyRequest) -> Iterator[bytes]:
    yield f"{request.remembered} {request.rows} {request.settings}".encode()
    for path in (project.seed, project.migrations.parent / "roles.sql", request.schema):
        yield path.read_bytes() if path is not None and path.is_file() else b""
    yield remembered.code(*_CODE)


def _written(seen: Seen, file: File) -> dict[str, Any]:
    """JSON types only. Statements are kept by their number: the file has them."""
    return {
        "rows": [_row(row) for row in seen.rows],
        **{name: sorted(getattr(seen, name)) for name in _SETS},
        "interfaces": [
            [_number(file, written), [[*key, thing.identity, thing.facts] for key, thing in state.items()]]
            for written, state in seen.interfaces
        ],
        "objects": [
            [_number(file, written), [list(asdict(made).values()) for made in state]]
            for written, state in seen.objects
        ],
        "end": [list(asdict(made).values()) for made in seen.end],
        "failed": asdict(seen.failed) if seen.failed else None,
        "notes": list(seen.notes),
    }


def _row(row: Row) -> dict[str, Any]:
    facts = row.facts
    value: dict[str, Any] = {
        "error": row.error,
        "left": row.left,
        "waits": row.waits,
        "own": row.own,
        "once_unused": row.once_unused,
        "advice": row.advice,
        "unseen": row.unseen,
        "lock_timeout": row.lock_timeout,
    }
    value |= {"through": {table: one.to_json() for table, one in row.through.items()}, "default": row.default}
    value |= {"rewrites": row.rewrites, "stalls": row.stalls, "partitioned": row.partitioned}
    return value | {
        "facts": facts.to_json() if facts else None,
        "changed": dict(facts.changed) if facts else {},
    }


def _read(value: dict[str, Any], file: File) -> Seen:
    todo = [step for step in steps(file.migration.path) if worth(step)]
    rows = []
    for step, one in zip(todo, value["rows"], strict=True):
        facts = Facts.from_json(one.pop("facts")) if one["facts"] is not None else None
        changed = one.pop("changed")
        rows.append(_as_row(step, facts, changed, one))
    return Seen(
        tuple(rows),
        known=frozenset(value["known"]),
        tables=frozenset(value["tables"]),
        empty=frozenset(value["empty"]),
        made=frozenset(value["made"]),
        interfaces=tuple(
            (_at(file, number), {(a, b, c): interface.Thing(oid, facts) for a, b, c, oid, facts in state})
            for number, state in value["interfaces"]
        ),
        objects=tuple((_at(file, number), _objects(state)) for number, state in value["objects"]),
        end=_objects(value["end"]),
        failed=Failed(**value["failed"]) if value["failed"] else None,
        notes=tuple(value["notes"]),
    )


def _as_row(step: FileStatement, facts: Facts | None, changed: dict[str, int], one: dict[str, Any]) -> Row:
    return Row(
        step,
        replace(facts, changed=changed) if facts else None,
        error=one["error"],
        left=one["left"],
        waits=tuple((table, tuple(probes)) for table, probes in one["waits"]),
        own=tuple(one["own"]),
        once_unused=tuple(one["once_unused"]),
        through={table: Through.from_json(parts) for table, parts in one["through"].items()},
        partitioned=one["partitioned"],
        default=one["default"],
        rewrites=tuple(one["rewrites"]),
        stalls=tuple(one["stalls"]),
        advice=one["advice"],
        unseen=tuple(one["unseen"]),
        lock_timeout=one["lock_timeout"],
    )


def _objects(state: list[list[Any]]) -> comments.Objects:
    return [comments.Made(*made) for made in state]


def _number(file: File, written: Written | None) -> int | None:
    return None if written is None else next(n for n, one in enumerate(file.up) if one is written)


def _at(file: File, number: int | None) -> Written | None:
    return None if number is None else file.up[number]
