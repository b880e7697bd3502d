"""What was measured of a file's statements, judged: rules 4 to 9, and 11."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrehearse.findings import Finding
from pgrehearse.measurement.advice import POLICY, rewrite_way, scan_way
from pgrehearse.measurement.statement.facts import MODES
from pgrehearse.measurement.words import blocked
from pgrehearse.measurement.xray_rows import Row
from pgrehearse.migration.policy.judged_file import File, Written
from pgrehearse.migration.policy.register import broken, unjudged
from pgrehearse.migration.policy.text_checks import LONGEST, in_force
from pgrehearse.migration.policy.unseen_code import unseen_code
from pgrehearse.text.concurrent import detaches
from pgrehearse.text.rows import changed_whole, limit
from pgrehearse.text.statement import Kind, classify, code
from pgrehearse.troubles import elsewhere

__all__ = ["MeasuredStatement", "check"]

#: A loop in it may change every row, and the index it goes along hides that.
_BLOCKS = ("do", "call")
#: Rows that are still a batch.
_BATCH = 50_000
_UNSAFE_USE = "55P04"
_MEND = {
    "rewrite": "expand and contract: a new column, a trigger, a backfill, then drop the old form",
    "backfill": "write in batches that commit, in a file {untransacted}",
    "scan": "NOT VALID first, VALIDATE in a later file; or a statement that needs no scan",
    "index-build": "CREATE INDEX CONCURRENTLY in a file of its own, {untransacted}",
}


@dataclass(frozen=True)
class MeasuredStatement:
    """The rows of one file, and what it found.

    Attributes:
        known, tables: relations and tables that were there before it.
        server: version.
        empty: tables that held no row.
    """

    rows: Sequence[Row]
    known: frozenset[str]
    tables: frozenset[str]
    server: str
    empty: frozenset[str] = frozenset()

    def strong(self, row: Row) -> set[str]:
        """Tables that ``row`` locks against readers or writers.

        Not those where somebody waits: they may wait for another table, by way of a foreign key.
        """
        locks = row.facts.locks if row.facts else {}
        least = MODES.index("SHARE")
        return {name for name, mode in locks.items() if name in self.tables and MODES.index(mode) >= least}


def check(file: File, measured: MeasuredStatement) -> Iterator[Finding]:
    """Problems of ``file``. A statement that failed ends it: the rest was not measured."""
    held: set[str] = set()
    block, untimed = 0, False
    for row in measured.rows:
        written = file.at(row.step.line, row.step.statement)
        if written is None:
            continue
        if row.left:
            if not file.allowed("judged", written):
                yield unjudged(
                    file.migration.path,
                    written.line,
                    row.left,
                    written.sql,
                    "look at it yourself, then say why it is safe: -- allow: judged REASON",
                )
            continue
        if row.error:
            if not row.error.startswith("not measured"):
                yield _failed(file, written, row.error)
            return
        if row.step.block != block or not row.step.block:
            held, block = set(), row.step.block
        yield from _slow(file, written, row, measured)
        yield from _met_nothing(file, written, row, measured)
        yield from unseen_code(file, written, row)
        strong = measured.strong(row)
        second = strong - held and (held or _one_by_one(written.sql))
        if second and row.step.block and not file.allowed("one-table", written):
            yield _second_table(file, written, row, measured, sorted(held), sorted(strong - held))
        if (
            row.waits
            and not untimed
            and not _timed(file, written, row)
            and not file.allowed("lock-timeout", written)
        ):
            yield _untimed(file, written, row, measured)
            untimed = True  # said once
        held |= strong


def _timed(file: File, written: Written, row: Row) -> bool:
    """Whether a safe lock_timeout holds at ``written``: by the text, and where code was looked at."""
    if row.lock_timeout is not None and not 0 < row.lock_timeout <= LONGEST:
        return False
    limit = in_force(file.up, file.migration.up.transaction)[written].get("lock_timeout")
    return limit is not None and limit.seconds <= LONGEST


def _failed(file: File, written: Written, error: str) -> Finding:
    path, line = file.migration.path, written.line
    if _UNSAFE_USE in error:
        return broken(
            "enum-value",
            path,
            line,
            f"uses an enum value in the transaction that adds it: {error}",
            "move the use to a later file: that one runs after the value is committed",
            written.sql,
            page="guides/enum-procedure",
        )
    said, fix = f"fails on the state the earlier files leave: {error}", elsewhere(error, "mend it")
    return broken("runnable", path, line, said, fix, written.sql)


def _slow(file: File, written: Written, row: Row, measured: MeasuredStatement) -> Iterator[Finding]:
    """A statement that others wait for, or whose rows they wait for, longer than for a moment."""
    assert row.facts is not None
    kind = classify(written.sql)
    read = [name for name in row.facts.scans if name in measured.known]
    batch = _is_batch(written.sql, row)
    changed = [] if batch else [name for name in _changed(row) if name in measured.known]
    if kind.verb == "truncate" and row.waits:
        emptied = [name for name in row.facts.locks if name in measured.known & measured.tables]
        check, said = "rewrite", f"empties {_names(emptied)} while {_who(row)} wait"
    elif _builds_index(kind) and row.own and not (row.partitioned and " on only " in code(written.sql)):
        check, said = "index-build", f"builds an index while {_who(row)} wait"
    elif row.rewrites and row.waits and not row.in_turn:
        check, said = "rewrite", f"rewrites {_names(row.rewrites)} while {_who(row)} wait"
    elif set(read) & set(changed):
        check, said = "backfill", f"changes {_names(changed)} in one transaction, reading every row of it"
    elif (
        changed
        and row.facts.transactional
        and (kind.verb in _BLOCKS or (kind.verb == "select" and row.facts.changed))
    ):
        check, said = "backfill", f"changes {_names(changed)} in a block that never commits"
    elif read and row.waits and kind.verb in ("update", "delete", "merge"):
        check = "backfill"
        said = f"changes rows while {_who(row)} wait, reading {_names(read)} whole"
    elif row.facts.transactional and not batch and _every_row(written.sql, measured):
        check, said = "backfill", "changes every row in one transaction"
    elif row.own and detaches(written.sql) and not row.default:
        check, said = "detach", f"detaches a partition while {_who(row)} wait"
    elif read and row.waits and not row.in_turn:
        check, said = "scan", f"reads {_names(read)} whole while {_who(row)} wait"
    else:
        return
    if not file.allowed(check, written):
        yield broken(
            check,
            file.migration.path,
            written.line,
            said,
            _mend(check, file, written.sql, row),
            written.sql,
            _facts(row, measured),
            row.advice or POLICY,
        )


def _is_batch(sql: str, row: Row) -> bool:
    """Whether it says how many rows it changes at most, keeps to that, and they are not too many."""
    most = limit(sql)
    assert row.facts is not None
    return most is not None and sum(row.facts.changed.values()) <= most <= _BATCH


def _changed(row: Row) -> list[str]:
    """Tables of which rows were changed."""
    assert row.facts is not None
    return sorted({*row.facts.row_locks, *row.facts.changed})


def _met_nothing(file: File, written: Written, row: Row, measured: MeasuredStatement) -> Iterator[Finding]:
    """A statement that is to change rows and met none, so that nothing is known of how many it may meet."""
    assert row.facts is not None
    if classify(written.sql).verb not in ("update", "delete", "merge") or _changed(row):
        return
    known = measured.known
    read = [name for name in row.facts.scans if name in known]
    bare = [name for name, mode in row.facts.locks.items() if mode == "ROW EXCLUSIVE" and name in known]
    blind = sorted({*read} & {*bare} | {*bare} & measured.empty)
    if not blind or limit(written.sql) is not None or _every_row(written.sql, measured):
        return
    if not file.allowed("judged", written):
        yield unjudged(
            file.migration.path,
            written.line,
            f"its condition met no row of {_names(blind)} here, so how many it may change is not known",
            written.sql,
            "give the seed rows that it meets; or say how many there are: -- allow: judged REASON",
        )


def _mend(check: str, file: File, sql: str, row: Row) -> str:
    """What works there: not every way does for a domain, a partition, or an index of a partitioned table."""
    words = classify(sql).words
    if words[:1] == ("reindex",):
        return f"the same with CONCURRENTLY, in a file of its own, {file.untransacted}"
    if row.partitioned and (
        check == "index-build" or (check == "scan" and row.advice.startswith("runbooks/index"))
    ):
        return (
            "CREATE INDEX ON ONLY the partitioned table, one CONCURRENTLY on each partition, then"
            " ALTER INDEX ... ATTACH PARTITION; PostgreSQL builds none concurrently on the whole"
        )
    if check == "scan" and words[:2] in (("alter", "domain"), ("create", "domain")):
        return (
            "a CHECK on each table instead, NOT VALID first: of a domain VALIDATE, too, keeps writers waiting"
        )
    if check in ("scan", "detach") and row.way:
        return row.instead(file.untransacted)
    tables = set(row.facts.probes) if row.facts else set()
    if (
        check == "rewrite"
        and " type " in code(sql)
        and not tables & {*row.rewrites}
        and "collate" not in code(sql)
    ):
        return (
            "name the column's COLLATE in the statement: only its indexes are built anew, for another order"
        )
    ways = {"rewrite": rewrite_way, "scan": scan_way}
    return (ways[check](sql) if check in ways else "") or _MEND[check].format(untransacted=file.untransacted)


def _builds_index(kind: Kind) -> bool:
    creates = kind.begins("create", "index") or kind.begins("create", "unique", "index")
    return (creates or kind.verb == "reindex") and not kind.concurrent


def _every_row(sql: str, measured: MeasuredStatement) -> bool:
    """Whether it is an UPDATE or DELETE without WHERE of a table that was there before the file.

    Measured, too, unless that table got no row here.
    """
    table = changed_whole(sql)
    return table is not None and table.removeprefix("public.") in measured.known


def _one_by_one(sql: str) -> bool:
    """Whether it is a LOCK TABLE of several tables that keeps the first while it waits for the second."""
    written = code(sql).lower().rstrip("; \n")
    return classify(sql).verb == "lock" and "," in written and not written.endswith("nowait")


def _second_table(
    file: File, written: Written, row: Row, measured: MeasuredStatement, held: list[str], more: list[str]
) -> Finding:
    where = (
        f"while the transaction holds {_names(held)}: whoever makes it wait there"
        f" makes the users of {_names(held)} wait, too"
        if held
        else "one by one: whoever makes it wait for one makes the users of those before wait, too"
    )
    return broken(
        "one-table",
        file.migration.path,
        written.line,
        f"locks {_names(more)} {where}",
        "one table per file; or LOCK TABLE both first, in one statement, with NOWAIT",
        written.sql,
        _facts(row, measured),
    )


def _untimed(file: File, written: Written, row: Row, measured: MeasuredStatement) -> Finding:
    return broken(
        "lock-timeout",
        file.migration.path,
        written.line,
        f"makes {_who(row)} wait, with no lock_timeout of at most {LONGEST:.0f} s before it",
        f"SET LOCAL lock_timeout = '2s'; as the first statement: {file.untimed}"
        if row.step.block
        else "SET lock_timeout = '2s'; before it, with -- allow: one-statement REASON: SET LOCAL does nothing"
        " without a transaction",
        written.sql,
        _facts(row, measured),
    )


def _who(row: Row) -> str:
    return " and ".join(blocked(dict(row.waits), row.through))


def _facts(row: Row, measured: MeasuredStatement) -> str:
    assert row.facts is not None
    locks = sorted(row.facts.locks.items())
    parts = [f"{mode} on {name}" for name, mode in locks if name in measured.tables]
    parts += [f"rewrites {_names(row.rewrites)}"] if row.rewrites else []
    parts += [f"reads {_names(row.facts.scans)} whole"] if row.facts.scans else []
    parts += [f"changes rows of {_names(row.facts.row_locks)}"] if row.facts.row_locks else []
    parts += [f"{_who(row)} wait"] if row.waits else []
    return f"{'; '.join(parts)} (PostgreSQL {measured.server})"


def _names(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 4 else f"{', '.join(names[:2])} and {len(names) - 2} more"
