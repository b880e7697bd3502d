"""What to check, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pgrehearse.findings import Finding, Severity
from pgrehearse.measurement.xray_rows import Row
from pgrehearse.migration.policy.coverage import Coverage

__all__ = ["PolicyReport", "PolicyRequest"]


@dataclass(frozen=True)
class PolicyRequest:
    """What to check.

    Attributes:
        names: file names to check; empty: all that are not applied.
        base: a commit of git; files it has are taken as applied.
        conninfo: a database whose ledger says what is applied.
        schema: a dump of the applied schema, used instead of running the applied files.
        rows: rows of the example data to measure with.
        settings: SET statements that a session of that database begins with.
        off: check -> why this project does without it.
        remembered: the exact version of the server that will be asked, so that what it has shown before need
            not be shown again; empty: everything is measured, and nothing kept.
        fresh: what is remembered is measured again.
    """

    names: frozenset[str] = frozenset()
    base: str | None = None
    conninfo: str | None = None
    schema: Path | None = None
    rows: int = 1000
    settings: tuple[str, ...] = ()
    off: Mapping[str, str] = field(default_factory=dict)
    remembered: str = ""
    fresh: bool = False


@dataclass
class PolicyReport:
    """What was found.

    Attributes:
        problems: in order of file and line.
        checked: names of the files that were checked.
        exempt: how many were left out, being applied.
        coverage: which statements were measured.
        server: on which version.
        not_run: check -> reason. Each was allowed: a check that could not run is a problem.
        made: tables that were measured with rows made for them, because the seed gave none.
        empty: tables that were measured without a row.
        notes: what of a dump could not be made, and what a replay took for granted.
        rows: what was measured, file name -> its statements.
    """

    problems: list[Finding] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    exempt: int = 0
    coverage: Coverage = field(default_factory=Coverage)
    server: str = ""
    not_run: dict[str, str] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    rows: dict[str, tuple[Row, ...]] = field(default_factory=dict)

    def at_least(self, least: Severity) -> list[Finding]:
        """The problems that are worth ``least`` or more."""
        ranks = list(Severity)
        return [one for one in self.problems if ranks.index(one.severity) <= ranks.index(least)]
