"""Measure every statement of a file, each on the state the earlier ones left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pgrehearse.errors import DocumentError
from pgrehearse.measurement.advice import advice
from pgrehearse.measurement.statement import relations as catalogs
from pgrehearse.measurement.statement.client import Client, Clones
from pgrehearse.measurement.statement.facts import PROBES, Facts
from pgrehearse.measurement.statement.measure import measure
from pgrehearse.servers.base import Server
from pgrehearse.text import characters
from pgrehearse.text.migration_grammar import Section, has_marks, parse
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import SplitError, Statement, split
from pgrehearse.text.statement import Control, classify

__all__ = ["POLICIES", "FileStatement", "Row", "Xray", "steps", "xray"]

#: What ``--fail-on`` may name.
POLICIES = ("rewrite", "scan", "blocks-reads", "blocks-writes")
_ENDS = (Control.CLOSES, Control.GIVES_UP)


@dataclass(frozen=True)
class FileStatement:
    """One statement of the file; ``block`` is the number of the transaction it stands in, or 0."""

    line: int
    statement: str
    block: int = 0
    kept: bool = True


@dataclass(frozen=True)
class Row:
    """One measured statement.

    Attributes:
        facts: what was measured; None when it was not, and ``error`` says why.
        error: the error it raised, or that its transaction raised at it.
        waits: table -> probes that wait while it runs, by what it locks or what earlier statements of its
            transaction locked. Tables that the file itself made are left out: nobody uses them yet.
        rewrites: as in the facts, without what the file itself made.
        stalls: tables read whole while somebody waits for them.
        advice: page of the handbook.
    """

    step: FileStatement
    facts: Facts | None = None
    error: str = ""
    waits: tuple[tuple[str, tuple[str, ...]], ...] = ()
    rewrites: tuple[str, ...] = ()
    stalls: tuple[str, ...] = ()
    advice: str = ""

    def breaks(self) -> list[str]:
        """The policies of `POLICIES` this statement breaks."""
        probes = {probe for _, waiting in self.waits for probe in waiting}
        found = {
            "rewrite": bool(self.rewrites),
            "scan": bool(self.stalls),
            "blocks-reads": "SELECT" in probes,
            "blocks-writes": bool(probes & {"INSERT", "UPDATE", "DELETE"}),
        }
        return [policy for policy in POLICIES if found[policy]]

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "line": self.step.line,
            "statement": redacted(self.step.statement),
            "transaction": self.step.block or None,
            "facts": self.facts.to_json() if self.facts else None,
            "waits": {table: list(probes) for table, probes in self.waits},
            "breaks": self.breaks(),
            "advice": self.advice or None,
            "error": self.error or None,
        }


@dataclass(frozen=True)
class Xray:
    """The rows of a file, and the tables of the prepared database that held no row."""

    rows: tuple[Row, ...]
    empty: tuple[str, ...]


def steps(path: Path) -> list[FileStatement]:
    """The statements of ``path``: plain SQL, or the up part of a dbmate-style file.

    Raises:
        DocumentError: no such file, not UTF-8, or not something psql could send.
    """
    text = characters.read(path)
    section = parse(text, path).up if has_marks(text) else Section(text, 1, transaction=False)
    first, transaction = section.line, section.transaction
    try:
        statements = split(section.sql.replace("\r\n", "\n"))
    except SplitError as error:
        raise DocumentError(
            error.message, path=path, line=first + error.line - 1, next_step=error.fix
        ) from None
    found: list[FileStatement] = []
    block, count = (1, 1) if transaction else (0, int(transaction))
    for statement in map(Statement.without_heading, statements):
        control = classify(statement).control
        if control is Control.OPENS and not block:
            block = count = count + 1
        found.append(FileStatement(first + statement.line - 1, statement.sql, block))
        if control in _ENDS and block and not transaction:
            if control is Control.GIVES_UP:
                found = [replace(step, kept=False) if step.block == block else step for step in found]
            block = 0
    return found


def xray(
    server: Server,
    template: str,
    todo: Sequence[FileStatement],
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> Xray:
    """Measure ``todo`` on clones of ``template``, which is left as it is; see `measure` for both arguments.

    After a statement that fails the rest is not measured: it would run in a state that cannot be.
    ``progress`` is told how many statements are done.

    Raises:
        SetupError: the database cannot be cloned.
    """
    with Clones(server, template) as clones:
        work = clones.create()
        with Client(server.dsn(work)) as client:
            catalog = catalogs.read(client)
            each = [f"SELECT {t.oid} WHERE NOT EXISTS (SELECT FROM {t.name})" for t in catalog.tables()]
            empty = (
                [catalog.relations[oid].name for (oid,) in client.rows(" UNION ALL ".join(each))]
                if each
                else []
            )
        known = frozenset(relation.name for relation in catalog.relations.values())
        rows = _Run(server, work, known, progress).all(todo)
    return Xray(tuple(rows), tuple(sorted(empty)))


class _Run:
    """Measures statements one after another and applies them to the working database."""

    def __init__(
        self, server: Server, work: str, known: frozenset[str], progress: Callable[[int], None]
    ) -> None:
        self.server = server
        self.work = work
        self.known = known
        self.progress = progress
        self.settings: list[str] = []
        self.rows: list[Row] = []

    def all(self, todo: Sequence[FileStatement]) -> list[Row]:
        position = 0
        while position < len(todo) and not any(row.error for row in self.rows):
            block = todo[position].block
            end = position + 1
            while block and end < len(todo) and todo[end].block == block:
                end += 1
            if block:
                self._transaction(todo[position:end])
            else:
                self._alone(todo[position])
            position = end
        stopped = "not measured: an earlier statement failed"
        return self.rows + [Row(step, error=stopped) for step in todo[len(self.rows) :]]

    def _take(self, row: Row) -> None:
        self.rows.append(row)
        self.progress(len(self.rows))

    def _alone(self, step: FileStatement) -> None:
        row = self._measured(step, [], {})
        if row.facts is not None:
            failed = self._apply([step.statement], keep=not row.facts.sqlstate)
            row = replace(row, error=failed[1]) if failed else row
            kind = classify(step.statement)
            if kind.settings and kind.of_the_session:
                self.settings.append(step.statement)
        self._take(row)

    def _transaction(self, group: Sequence[FileStatement]) -> None:
        """Measure the statements of one transaction. It is run as a whole too: some fail only together."""
        inner = [step.statement for step in group if not classify(step.statement).control]
        whole = ["BEGIN", *inner, "COMMIT" if group[0].kept else "ROLLBACK"]
        failed = self._apply(whole, keep=False)
        held: dict[str, set[str]] = {}
        before: list[str] = []
        for step in group:
            kind = classify(step.statement)
            control = kind.control
            row = Row(step, Facts()) if control else self._measured(step, before, held)
            # BEGIN is number 0 of the whole, so the statement after ``before`` is len(before) + 1
            if failed and failed[0] == len(before) + 1 and (not control or control in _ENDS):
                row = replace(row, error=failed[1])
            self._take(row)
            if row.error:
                return
            for table, probes in row.waits:
                held.setdefault(table, set()).update(probes)
            # LOCK needs a transaction and changes nothing; what it keeps waiting is in ``held``
            before += [] if control or kind.verb == "lock" else [step.statement]
        if group[0].kept and not failed:
            self._apply(whole)

    def _measured(self, step: FileStatement, before: Sequence[str], held: dict[str, set[str]]) -> Row:
        if classify(step.statement).control:
            return Row(step, Facts())
        try:
            facts = measure(self.server, self.work, step.statement, setup=[*self.settings, *before])
        except DocumentError as error:
            return Row(step, error=error.message)
        waits = {table: set(probes) for table, probes in held.items()}
        for table, probes in facts.probes.items():
            if table in self.known and "waits" in probes.values():
                waits.setdefault(table, set()).update(p for p in probes if probes[p] == "waits")
        rewrites = tuple(name for name in facts.rewrites if name in self.known)
        row = Row(
            step,
            facts,
            error=f"raises {facts.sqlstate}" if facts.sqlstate else "",
            waits=tuple((table, tuple(p for p in PROBES if p in waits[table])) for table in sorted(waits)),
            rewrites=rewrites,
            stalls=tuple(name for name in facts.scans if name in waits),
        )
        return replace(row, advice=advice(step.statement, facts, harmless=not waits and not rewrites))

    def _apply(self, statements: Sequence[str], *, keep: bool = True) -> tuple[int, str] | None:
        """Run ``statements`` on the working database or a clone: number and error of the first that fails."""
        with Clones(self.server, self.work) as clones:
            name = self.work if keep else clones.create()
            with Client(self.server.dsn(name)) as client:
                for statement in self.settings:
                    client.run(statement)
                for number, statement in enumerate(statements):
                    if client.run(statement):
                        return number, f"{client.reason} ({client.sqlstate})"
        return None
