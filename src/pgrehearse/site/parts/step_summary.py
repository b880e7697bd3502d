"""What a step of a runbook did, as short texts: its lock, who waited, what grows with the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pgrehearse.measurement.evidence.cells import StatementEvidence
from pgrehearse.measurement.statement.facts import MODES, Facts, strongest, together
from pgrehearse.measurement.words import blocked, for_a_moment, main_locks, own_waits, some, who, who_waits
from pgrehearse.site.content.published import Published
from pgrehearse.site.parts.fact_lines import majors_range
from pgrehearse.site.parts.lock_reference import operation
from pgrehearse.text.document import Cell, Document
from pgrehearse.text.split import Statement, split
from pgrehearse.text.statement import Control, classify, generated

__all__ = ["STALE", "UNMEASURED", "StepSummary", "outcomes"]

#: What stands in place of a lock.
UNMEASURED = "changes rows; its locks were not measured apart"
STALE = "changed since it was measured"


@dataclass(frozen=True)
class StepSummary:
    """One outcome of a step. ``counts``: somebody waits, or it waits, or its time grows with the table."""

    what: tuple[str, ...]
    lock: str
    who: str
    work: str
    counts: bool = True
    #: whom it keeps waiting, and whether it reads or rewrites a table whole
    blocks: str = ""
    grows: str = ""
    #: the lock that matters most, and its place in the order of locks
    hardest: str = ""
    strength: int = -1

    @property
    def named(self) -> str:
        """What was done, as one text."""
        return ", ".join(self.what)


def outcomes(item: Published, cells: list[Cell]) -> Iterator[StepSummary]:
    """The outcomes of a step that matter; the first of the others when none does."""
    found: list[StepSummary] = []
    for cell in cells:
        for row in _of_cell(item, cell):
            same = next((i for i, known in enumerate(found) if replace(known, what=row.what) == row), None)
            if same is None:
                found.append(row)
            else:
                found[same] = replace(row, what=tuple(dict.fromkeys((*found[same].what, *row.what))))
    yield from [row for row in found if row.counts] or found[:1]


def _of_cell(item: Published, cell: Cell) -> Iterator[StepSummary]:
    evidence = item.evidence.of(cell) if item.evidence else None
    if item.lacks_facts(cell):
        yield StepSummary((), STALE, "", "")
        return
    statements = split(cell.source)
    transaction = any(classify(statement).control is Control.OPENS for statement in statements)
    # A cell for some majors only says which: others go another way.
    limited = bool(cell.options.needs or cell.options.until)
    for what, measured, in_turn in _units(evidence.statements if evidence else (), transaction):
        facts = {major: _named(value, item.document) for major, value in measured.items()}

        said = partial(_by_major, facts, limited=limited)
        waiting = partial(_at_its_end, in_turn=in_turn)
        yield StepSummary(
            (what,),
            said(_lock),
            said(waiting(_who)),
            said(_work),
            any(
                f.scans or f.rewrites or f.waits_for or f.once_unused or blocked(f.waits, f.through)
                for f in facts.values()
            ),
            said(waiting(_blocked)),
            said(lambda f: _work(f) if f.rewrites or f.scans else ""),
            said(lambda f: _lock_on(_hardest(f))),
            max(_strength(f) for f in facts.values()),
        )
    if any(map(_changes_rows, statements)):
        yield StepSummary((), UNMEASURED, "", "")


def _changes_rows(statement: Statement) -> bool:
    """Whether it changes rows that others see, itself or by a statement in one of its constants.

    What is measured says so itself.
    """
    kinds = (classify(statement), *generated(statement))
    return any(
        (kind.changes_rows and not kind.ddl and not kind.of_temporary) or kind.verb == "call"
        for kind in kinds
    )


def _units(
    statements: Sequence[StatementEvidence], transaction: bool
) -> Iterator[tuple[str, dict[str, Facts], bool]]:
    """Statements of one kind together; all of a cell that holds its locks until it commits.

    With it: whether all of them take their strong lock at the end of their work.
    """
    kinds: dict[str, list[StatementEvidence]] = {}
    for statement in statements:
        kind = "in one transaction" if transaction else operation(statement.sql).removeprefix("ALTER TABLE ")
        kinds.setdefault(kind, []).append(statement)
    for what, several in kinds.items():
        majors = sorted({major for statement in several for major in statement.facts})
        yield (
            what,
            {
                major: together([statement.facts[major] for statement in several if major in statement.facts])
                for major in majors
            },
            all(classify(statement.sql).in_turn for statement in several),
        )


def _named(facts: Facts, document: Document) -> Facts:
    """``facts`` with "the table" in place of the example for the parameter ``table``."""
    example = document.front.examples().get("table", "").removeprefix("public.")

    def names(relations: Iterable[str]) -> tuple[str, ...]:
        return tuple(
            "the table" if n == example else n for n in sorted(relations, key=lambda n: n != example)
        )

    return replace(
        facts,
        locks={name: facts.locks.get(name, facts.locks.get(example, "")) for name in names(facts.locks)},
        probes={name: facts.probes.get(name, facts.probes.get(example, {})) for name in names(facts.probes)},
        through={
            "the table" if name == example else name: replace(one, parts=names(one.parts))
            for name, one in facts.through.items()
        },
        rewrites=names(facts.rewrites),
        scans=names(facts.scans),
        row_locks=names(facts.row_locks),
    )


def _by_major(facts: Mapping[str, Facts], text: Callable[[Facts], str], limited: bool = False) -> str:
    """The text all majors share, else each with its majors: ``15: nobody; 16–18: readers``.

    ``limited``: name the majors also where they share it, for there are others.
    """
    groups: dict[str, list[str]] = {}
    for major, value in facts.items():
        groups.setdefault(text(value), []).append(major)
    if len(groups) == 1 and not (limited and any(groups)):
        return next(iter(groups))
    return "; ".join(f"{majors_range(majors)}: {said}" for said, majors in groups.items())


def _at_its_end(text: Callable[[Facts], str], *, in_turn: bool) -> Callable[[Facts], str]:
    """``text``, and that it is for a moment, of a statement that takes its strong lock last."""
    if not in_turn:
        return text
    return lambda facts: (
        text(facts) + (", for a moment at its end" if blocked(facts.waits, facts.through) else "")
    )


def _lock(facts: Facts) -> str:
    return _lock_on(main_locks(facts)) or "nothing others use"


def _lock_on(locks: Mapping[str, list[str]]) -> str:
    return ", ".join(f"{mode} on {_relations(names)}" for mode, names in locks.items())


def _relations(names: Sequence[str]) -> str:
    return some(names) if len(names) < 3 else f"{some(names[:1])} and {len(names) - 1} more"


def _strength(facts: Facts) -> int:
    """Order of what `_hardest` gives; with the same mode a table comes before what stands alone."""
    found = _hardest(facts)
    if not found:
        return -1
    ((mode, names),) = found.items()
    return 2 * MODES.index(mode) + bool(blocked(facts.waits, facts.through) or set(names) & set(facts.probes))


def _blocked(facts: Facts) -> str:
    """Readers, writers or both, on whatever table."""
    said = who({probe for probes in facts.waits.values() for probe in probes})
    return said or for_a_moment(facts.once_unused, by_table=False)


def _hardest(facts: Facts) -> dict[str, list[str]]:
    """The strongest lock on a table; one on an index only where there is no other, or somebody waits."""
    locks = main_locks(facts)
    tables = {mode: names for mode, names in locks.items() if set(names) & set(facts.probes)}
    locks = tables if tables and not blocked(facts.waits, facts.through) else locks
    mode = strongest(list(locks)) if locks else ""
    return {mode: locks[mode]} if mode else {}


def _who(facts: Facts) -> str:
    said, waits = who_waits(facts, by_table=True), own_waits(facts)
    return f"{said}; it waits for {waits}" if waits else said


def _work(facts: Facts) -> str:
    """What takes longer on a larger table. A rewrite reads the table too."""
    if facts.rewrites:
        tables = [name for name in facts.rewrites if name in facts.probes]
        rest = len(facts.rewrites) - len(tables)
        indexes = f"{rest} index" + ("es" if rest > 1 else "") if rest else ""
        return "rewrites " + " and ".join(part for part in (some(tables), indexes) if part)
    return f"reads {_relations(facts.scans)} whole" if facts.scans else "catalog only"
