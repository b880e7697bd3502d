"""Runs a contract against a database, in one transaction that is rolled back, and says what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from pgrehearse.connections import connect
from pgrehearse.errors import DocumentError, ExpectationError, SetupError
from pgrehearse.execution.seeds import load_where_empty
from pgrehearse.findings import Finding
from pgrehearse.migration.smoke import objects
from pgrehearse.migration.smoke.checks import Checks
from pgrehearse.migration.smoke.contract import Contract, Directive
from pgrehearse.migration.smoke.objects import Object

__all__ = ["SmokeOptions", "SmokeReport", "run"]

#: What each kind of object needs in the contract.
_SHOWN_BY = {
    "constraint": "refuses",
    "not null": "refuses",
    "index": "uses",
    "label": "labels",
    "default": "default",
    "trigger": "fires",
}


@dataclass(frozen=True)
class SmokeOptions:
    """How to run a contract.

    Attributes:
        read_only: write nothing, read no table but in queries that say so; for staging and production.
        seed: SQL that fills empty tables first, inside the transaction; None leaves them empty.
        rows: what ``:'rows'`` is in it.
        statement_timeout: of every statement, in PostgreSQL's notation; "0" is none.
    """

    read_only: bool = False
    seed: Path | None = None
    rows: int = 1000
    statement_timeout: str = "0"


@dataclass
class SmokeReport:
    """What a run found.

    Attributes:
        seeded: whether the tables were empty and the seed was loaded.
        tried: entries whose statement was run or planned.
        looked_up: entries of which only the catalog was looked at.
        covered: per kind, how many objects the contract speaks of, and how many there are.
        left_out: objects by their reason.
        findings: what is wrong; empty is green.
    """

    seeded: bool = False
    tried: int = 0
    looked_up: int = 0
    covered: dict[str, tuple[int, int]] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def run(conninfo: str, contract: Contract, options: SmokeOptions) -> SmokeReport:
    """Try every entry of ``contract``, and look for what it leaves out.

    Nothing is kept: whatever a statement does is rolled back. Sequences go on counting.

    Raises:
        ExpectationError: the seed breaks a constraint.
        SetupError: no connection, or it was lost.
    """
    try:
        with connect(conninfo, autocommit=True, application_name="pgrehearse db smoke") as connection:
            connection.prepare_threshold = None
            with _rolled_back(connection, options):
                return _run(connection, contract, options)
    except psycopg.Error as error:
        lines = str(error).strip().splitlines()
        raise SetupError(
            f"the contract could not be tried: {lines[0] if lines else type(error).__name__}",
            path=contract.path,
            next_step="check the connection and the rights of its role",
        ) from None


@contextmanager
def _rolled_back(connection: psycopg.Connection[Any], options: SmokeOptions) -> Iterator[None]:
    connection.execute("BEGIN READ ONLY" if options.read_only else "BEGIN")
    try:
        set_local = "SELECT pg_catalog.set_config(%s, %s, true)"
        connection.execute(set_local, ["statement_timeout", options.statement_timeout])
        connection.execute(set_local, ["lock_timeout", "2s"])
        yield
    finally:
        if not connection.closed:
            connection.execute("ROLLBACK")


def _run(connection: psycopg.Connection[Any], contract: Contract, options: SmokeOptions) -> SmokeReport:
    report = SmokeReport()
    if options.seed is not None and not options.read_only:
        report.seeded = load_where_empty(connection, options.seed, options.rows)
    found = objects.read(connection)
    checks = Checks(connection, found, read_only=options.read_only)
    for entry in contract.entries:
        try:
            tried = checks.check(entry)
        except ExpectationError as problem:
            tried = True
            about = "; ".join(str(directive) for directive in entry.directives)
            found_here = _finding(
                contract, problem.line or entry.line, about, problem.message, problem.next_step
            )
            report.findings.append(found_here)
        report.tried += tried
        report.looked_up += not tried
        if connection.info.transaction_status is not TransactionStatus.INTRANS:
            raise DocumentError(
                "this entry ended the transaction that everything runs in",
                path=contract.path,
                line=entry.line,
                next_step="remove what commits",
            )
    _states(contract, found, report)
    _complete(contract, found, report)
    report.findings.sort(key=lambda finding: finding.line or 10**9)
    return report


def _finding(contract: Contract, line: int, about: str, message: str, next_step: str | None) -> Finding:
    """Something that is not as the contract says, or not in it. ``line`` 0: nowhere in the file."""
    return Finding(message, contract.path, line, kind="contract", about=about, next_step=next_step or "")


# --- what must be so, and what must be there ------------------------------------------------------------


def _states(contract: Contract, found: Sequence[Object], report: SmokeReport) -> None:
    """NOT VALID, INVALID, disabled: wrong whatever a statement shows, unless the contract says so."""
    expected = [d for d in contract.remarks if d.word == "not valid"]
    left_out = [d for d in contract.remarks if d.word == "leaves out"]
    for one in found:
        said = [d for d in expected if one.kind in ("constraint", "not null") and one.called(d.name, d.table)]
        if one.problem and not said and not any(_means(d, one) for d in left_out):
            line = min((d.line for e in contract.entries for d in e.directives if _shows(d, one)), default=0)
            report.findings.append(_finding(contract, line, str(one), f"{one} {one.problem}", one.mend))
    for directive in expected:
        meant = [o for o in found if o.called(directive.name, directive.table)]
        if not any(one.problem for one in meant):
            message = f"{directive.name} is valid" if meant else f"the database has no {directive.name}"
            report.findings.append(
                _finding(contract, directive.line, str(directive), message, "remove the line")
            )


def _complete(contract: Contract, found: Sequence[Object], report: SmokeReport) -> None:
    """Every object has an entry or a reason, and every reason an object."""
    directives = [d for entry in contract.entries for d in entry.directives]
    reasons = [d for d in contract.remarks if d.word == "leaves out"]
    used: set[Directive] = set()
    for kind in objects.KINDS:
        wanted = [o for o in found if o.kind == kind and not o.implied]
        covered = 0
        for one in wanted:
            reason = next((d for d in reasons if _means(d, one)), None)
            if any(_shows(d, one) for d in directives):
                covered += 1
            elif reason is not None:
                used.add(reason)
                report.left_out.append((str(one), reason.value))
            else:
                next_step = f"write: -- {one.wanted}; or: -- leaves out {one.kind} {one.name}: REASON"
                report.findings.append(_finding(contract, 0, str(one), f"no entry shows {one}", next_step))
        report.covered[kind] = covered, len(wanted)
    for directive in reasons:
        if directive not in used:
            message = f"nothing to leave out: no {directive.name} without an entry"
            report.findings.append(
                _finding(contract, directive.line, str(directive), message, "remove the line")
            )


def _shows(directive: Directive, one: Object) -> bool:
    if directive.word != _SHOWN_BY[one.kind]:
        return False
    if one.kind == "label":
        return directive.name in (one.table, f"{one.schema}.{one.table}")
    if directive.word == "refuses":
        state = directive.value
        if not state.startswith("23") or (state == "23502") != (one.kind == "not null"):
            return False
    return one.called(directive.name, directive.table)


def _means(directive: Directive, one: Object) -> bool:
    short = f"{one.kind} {one.name}"
    return any(fnmatchcase(text, directive.name) for text in (str(one), short))
