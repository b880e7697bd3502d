"""What statements may cost: ``db/budgets.toml``, and what exceeds it.

milliseconds = 250                       # each statement, unless said otherwise below

[20260119080000_index_items_by_user]     # the statements of one migration
milliseconds = 20000
reason = "a concurrent build reads the whole table, and nobody waits for it"

[20260401090000_widen_price.statement.2] # one statement, by its number in the up part
rewrites = ["wishlist_items"]
reason = "announced for the maintenance window of May"
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pgrehearse.errors import SetupError
from pgrehearse.findings import Finding
from pgrehearse.migration.runner.ledger_rows import Cost
from pgrehearse.migration.timing.costs import Timing
from pgrehearse.text import characters
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.options import LONGEST

__all__ = ["Allowance", "Budgets", "exceeded", "load"]

_MOST = 1_000 * LONGEST
_KEYS = {"milliseconds", "rewrites", "reason"}


@dataclass(frozen=True)
class Allowance:
    """What a statement may cost. ``milliseconds``: None is no limit. ``rewrites``: tables it may rewrite."""

    milliseconds: float | None = None
    rewrites: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Budgets:
    """``given``: what is said of a migration by its name, and of its statements by name and number."""

    default: Allowance = Allowance()
    given: Mapping[tuple[str, int | None], Allowance] = field(default_factory=dict)

    def of(self, migration: str, number: int) -> Allowance:
        """The nearest word on each: of the statement, of the migration, of all."""
        found = self.default
        for key in ((migration, None), (migration, number)):
            said = self.given.get(key, Allowance())
            limit = said.milliseconds if said.milliseconds is not None else found.milliseconds
            found = Allowance(limit, found.rewrites | said.rewrites)
        return found


def load(file: Path, migrations: Sequence[Migration]) -> Budgets:
    """Read ``file``; without it nothing has a limit and nothing may rewrite a table.

    Raises:
        SetupError: it is no TOML, has another key, names no migration, or gives no reason.
    """
    if not file.is_file():
        return Budgets()
    try:
        table = tomllib.loads(characters.read(file))
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"not TOML: {error}", path=file, next_step="mend the file") from None
    default = Allowance(_milliseconds(file, "", table.pop("milliseconds", None)))
    known = {migration.path.stem for migration in migrations}
    given: dict[tuple[str, int | None], Allowance] = {}
    for name, said in table.items():
        if name not in known or not isinstance(said, dict):
            raise SetupError(
                f"no migration is called {name}",
                path=file,
                next_step="a section is called as the file is, without .sql; remove what is out of date",
            )
        statements = said.pop("statement", {})
        if said:
            given[name, None] = _allowance(file, name, said)
        if not isinstance(statements, dict):
            raise _wrong(file, f"{name}.statement", "is no table of statements, such as statement.1")
        for number, one in statements.items():
            if not number.isdecimal() or int(number) == 0:
                raise _wrong(file, f"{name}.statement.{number}", "is no number of a statement")
            given[name, int(number)] = _allowance(file, f"{name}.statement.{number}", one)
    return Budgets(default, given)


def exceeded(
    budgets: Budgets, timings: Sequence[Timing], migrations: Sequence[Migration], only: Collection[str]
) -> list[Finding]:
    """What is beyond its budget among the versions in ``only``, the ones that were measured with rows."""
    paths = {migration.version: migration.path for migration in migrations}
    return [
        _excess(paths[timing.version], cost, *problem)
        for timing in timings
        if timing.version in only
        for cost in timing.costs
        for problem in _problems(budgets.of(paths[timing.version].stem, cost.number), cost)
    ] + _idle(budgets, timings, paths, only)


def _excess(path: Path, cost: Cost, what: str, next_step: str) -> Finding:
    words = " ".join(cost.sql.split())
    shown = words if len(words) <= 60 else words[:57] + "..."
    return Finding(what, path, cost.line, kind="budget", about=shown, next_step=next_step)


def _problems(allowed: Allowance, cost: Cost) -> list[tuple[str, str]]:
    found = []
    undeclared = [table for table in cost.rewritten if table not in allowed.rewrites]
    if undeclared:
        found.append(
            (
                f"rewrites {', '.join(undeclared)}, undeclared",
                "find a way that copies no row; or declare it in budgets.toml: rewrites, and the reason",
            )
        )
    spent, limit = cost.milliseconds or 0.0, allowed.milliseconds
    if limit is not None and spent > limit:
        shown = _ms(spent) if _ms(spent) != _ms(limit) else f"{spent:,.3f} ms"
        found.append(
            (
                f"{shown}, budget {_ms(limit)}",
                "make it cheaper; or give it a budget of its own in budgets.toml, and the reason",
            )
        )
    return found


def _ms(value: float) -> str:
    return (
        f"{value:,.0f} ms"
        if value >= 10
        else f"{value:g} ms"
        if value == round(value, 3)
        else f"{value:.1f} ms"
    )


def _idle(
    budgets: Budgets, timings: Sequence[Timing], paths: Mapping[str, Path], only: Collection[str]
) -> list[Finding]:
    """Rewrites that are declared and do not happen: the next one would go unseen."""
    found = []
    for timing in timings:
        if timing.version not in only or not timing.costs:
            continue
        path = paths[timing.version]
        for (name, number), said in budgets.given.items():
            costs = [cost for cost in timing.costs if number in (None, cost.number)]
            happened = {table for cost in costs for table in cost.rewritten}
            if name == path.stem and said.rewrites - happened:
                cost = costs[0] if costs else replace(timing.costs[0], sql=f"statement {number}")
                what = f"rewrites {', '.join(sorted(said.rewrites - happened))} by its budget, and does not"
                found.append(_excess(path, cost, what, "remove it from budgets.toml"))
    return found


def _allowance(file: Path, name: str, said: object) -> Allowance:
    if not isinstance(said, dict) or set(said) - _KEYS:
        raise _wrong(file, name, f"knows only {', '.join(sorted(_KEYS))} and statement.N")
    reason, rewrites = said.get("reason"), said.get("rewrites", [])
    if not isinstance(reason, str) or not reason.strip():
        raise _wrong(file, name, "gives no reason")
    if not isinstance(rewrites, list) or not all(isinstance(table, str) for table in rewrites):
        raise _wrong(file, name, "rewrites is no list of tables")
    return Allowance(_milliseconds(file, name, said.get("milliseconds")), frozenset(rewrites))


def _milliseconds(file: Path, name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MOST:  # nan
        raise _wrong(file, name or "milliseconds", f"milliseconds is no number above 0, at most {_MOST:,}")
    return float(value)


def _wrong(file: Path, name: str, what: str) -> SetupError:
    return SetupError(f"{name}: {what}", path=file, next_step="see the reference of pgrehearse db timing")
