"""The statements that a runbook is about, for its first screen: what Apply sends for the examples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.site.content.published import Published
from pgrehearse.site.parts.fact_lines import majors_range
from pgrehearse.text.claims import MODES
from pgrehearse.text.document import Cell
from pgrehearse.text.statement import classify

__all__ = ["sends"]

#: A phone shows so much beside what it locks.
_MOST = 2
#: Of a longer statement its begin and its end: NOT VALID stands there, and USING INDEX.
_LONGEST, _BEGIN, _END = 150, 95, 50

#: What keeps nobody from anything by itself: said of the statement, not of its name.
_UNSEEN = ("comment", "analyze")
#: What belongs to another statement, and is no reason to come here.
_TIDIES = re.compile(
    r"^ALTER \w+ \S+ (?:DROP CONSTRAINT \S+|ALTER COLUMN \S+ (?:DROP NOT NULL|(?:SET|DROP) DEFAULT\b.*)"
    r"|OWNER TO .*|ENABLE (?:ALWAYS )?TRIGGER \S+|RENAME CONSTRAINT .*)$",
    re.IGNORECASE,
)
#: They help a column or a constraint that a block made, whose statements were not measured apart.
_HELPS = ("VALIDATE CONSTRAINT", "CREATE TRIGGER")


@dataclass(frozen=True)
class _Sent:
    sql: str
    step: int
    facts: dict[str, Facts]

    @property
    def clears(self) -> bool:
        return classify(self.sql).verb in ("drop", "vacuum") or bool(_TIDIES.match(self.sql))

    def strength(self, major: str) -> int:
        """How much is locked: the place of its strongest mode, and more when something is rewritten."""
        facts = self.facts[major]
        return max(MODES.index(mode) for mode in facts.locks.values()) + bool(facts.rewrites)


def sends(item: Published, steps: Sequence[Sequence[Cell]]) -> list[tuple[str, str, int]]:
    """Statement, majors that get it (empty: all), and number of its step. Empty where Apply sends no DDL.

    Of each way that majors go, the one that begins, and the last of those that lock most.
    """
    if item.evidence is None or not item.evidence.measured:
        return []
    every = list(_ddl(item, steps))
    measured = sorted(item.evidence.measured, key=int)
    chosen: list[_Sent] = []
    for major in reversed(measured):
        if not any(major in one.facts for one in chosen):
            chosen += _of([one for one in every if major in one.facts], major)
    return [
        (
            _short(one.sql),
            majors_range(sorted(one.facts, key=int)) if len(one.facts) < len(measured) else "",
            one.step,
        )
        for one in chosen
    ]


def _of(sent: list[_Sent], major: str) -> list[_Sent]:
    """What is shown of the statements that ``major`` got."""
    made = {one.step for one in sent if not one.clears}
    # What a new build clears away in its own step is no reason to come here.
    about = [one for one in sent if not one.clears or (_alone(one) and one.step not in made)]
    about = about or sent
    strong = [one for one in about if one.strength(major) >= MODES.index("SHARE UPDATE EXCLUSIVE")] or about
    if not strong or any(words in strong[0].sql for words in _HELPS):
        return []
    most = max(one.strength(major) for one in strong)
    last = next(one for one in reversed(strong) if one.strength(major) == most)
    two = {strong[0].sql: strong[0], last.sql: last}
    for one in sorted(about, key=lambda one: -one.strength(major)):
        if len(two) < _MOST:
            two.setdefault(one.sql, one)
    return sorted(two.values(), key=sent.index)


def _alone(one: _Sent) -> bool:
    """Whether it is a reason to come here where nothing is made beside it."""
    return classify(one.sql).verb == "drop"


def _short(sql: str) -> str:
    if len(sql) <= _LONGEST:
        return sql
    return f"{sql[:_BEGIN].rpartition(' ')[0]} … {sql[-_END:].partition(' ')[2]}"


def _ddl(item: Published, steps: Sequence[Sequence[Cell]]) -> list[_Sent]:
    """Statements with a lock, in order, and each once in a step."""
    assert item.evidence is not None
    found: dict[tuple[str, int], _Sent] = {}
    for number, cells in enumerate(steps):
        for cell in cells:
            evidence = item.evidence.of(cell)
            for one in evidence.statements if evidence else ():
                locked = {major: facts for major, facts in one.facts.items() if facts.locks}
                if locked and classify(one.sql).verb not in _UNSEEN:
                    sql = " ".join(one.sql.split())
                    found.setdefault((sql, number), _Sent(sql, number, locked))
    return list(found.values())
