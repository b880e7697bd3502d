"""A runbook as SQL that any client sends: no psql, no parameters, no ``\\gexec``.

What a query generates now is written out. Where that depends on what stands above it, a DO block asks the
query when it is due. A check becomes a DO block that raises what the check says.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from pgrehearse.errors import DocumentError
from pgrehearse.execution.cell_messages import messages
from pgrehearse.execution.runbook.framing import ends_with_session, kind_of
from pgrehearse.execution.runbook.lock_waits import LockWaits
from pgrehearse.execution.runbook.preview import Part, preview
from pgrehearse.execution.runbook.steps import Step
from pgrehearse.execution.session import Message, Session
from pgrehearse.execution.unlimited import lifting
from pgrehearse.text.answers import UNSEEN, single_row
from pgrehearse.text.document import LOOKING, Document
from pgrehearse.text.split import split
from pgrehearse.text.variables import quote_identifier, quote_literal

__all__ = ["ended", "parts_now", "parts_unknown", "plain_sql"]

PartsOf = Callable[[Step], Sequence[Part]]

#: A check that refuses is an error, and what stands below it is not to be sent then.
_STOP = (
    "-- Go no further after an error: a check refuses by one. psql goes on, without -v ON_ERROR_STOP=1.",
    "",
)
#: What of a role, or of the database, would end a step half-way: a build leaves an INVALID index then.
_LIMITS = "-- A step takes as long as it must: no limit of the role or the database ends it in this session."
_CONCURRENTLY = re.compile(r"\bconcurrently\b", re.I)


def plain_sql(
    document: Document, steps: Sequence[Step], parts_of: PartsOf, major: int | None = None
) -> Iterator[str]:
    """The lines of the script. ``parts_of``: what a step sends, as far as that is known.

    ``major``: of the server it is for; steps for others are left out. What only the session has stands there
    once. Raises DocumentError: a step is no SQL.
    """
    made: set[str] = set()
    if any(step.cell.phase in LOOKING for step in steps):
        yield from _STOP
    yield from (_LIMITS, *lifting(major), "")
    for step in steps:
        if major is not None and not step.cell.options.runs_on(major):
            continue
        if step.cell.language != "sql":
            raise DocumentError(
                "a step in Python has no SQL form",
                path=document.path,
                line=step.cell.line,
                next_step="run it: pgrehearse run; or leave its phase out with --phase",
            )
        yield f"-- {' '.join(step.label.split())} ({document.path.name}:{step.cell.line})"
        if major is None and (step.cell.options.needs or step.cell.options.until):
            first, last = step.cell.options.needs or "any", step.cell.options.until or "any"
            yield f"-- Only for PostgreSQL {first} to {last}."
        parts = parts_of(step)
        if step.only_of_the_session and made.issuperset(part.sql for part in parts):
            yield "-- As above: this session has it."
        else:
            yield from _check(step) or _statements(parts)
        made.update(part.sql for part in parts if _stays(part.sql))
        yield ""


def parts_unknown(step: Step) -> list[Part]:
    """What ``step`` sends, where no database is there to ask."""
    return [Part(one.sql, () if one.gexec else None) for one in split(step.text)]


def parts_now(
    session: Session, document: Document, values: Mapping[str, str], lock_waits: LockWaits
) -> PartsOf:
    """How to ask ``session``, of its own, what steps send, one after the other.

    It gets what a step makes for the session alone, such as functions that later queries call; nothing else.
    """

    def parts(step: Step) -> list[Part]:
        found: list[Part] = []
        for message in messages(step.cell, values, document.path):
            parts = preview(session, [message], lock_waits.rewritten)
            for sql in itertools.chain.from_iterable(part.generated or (part.sql,) for part in parts):
                if ends_with_session(kind_of(sql)):
                    # Where it goes wrong here, it will when it is sent.
                    session.run([Message(sql, message.line)])
            found += parts
        return found

    return parts


def _statements(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        if part.generated is None:
            yield ended(part.sql)
        elif part.generated:
            yield from map(ended, part.generated)
        elif _CONCURRENTLY.search(part.sql):
            yield "-- Nothing to send now. Each value of this query is a statement, for no transaction:"
            yield from (f"-- {line}".rstrip() for line in part.sql.split("\n"))
        else:
            yield from _when_due(part.sql)


def _stays(sql: str) -> bool:
    """Whether a session has it until it ends, whatever is sent next: a setting may be set again."""
    return kind_of(sql).begins("create") and ends_with_session(kind_of(sql))


def _when_due(query: str) -> Iterator[str]:
    """A block that asks ``query`` and executes what it generates, all of it known before the first."""
    body = f"""
#variable_conflict use_column
DECLARE
    pgr_statement text;
    pgr_statements text[];
BEGIN
    SELECT array_agg(cell.value) INTO pgr_statements FROM (
{query}
    ) AS generated CROSS JOIN LATERAL json_each_text(row_to_json(generated)) AS cell
    WHERE cell.value IS NOT NULL;
    FOREACH pgr_statement IN ARRAY coalesce(pgr_statements, '{{}}') LOOP
        RAISE NOTICE '%', pgr_statement;
        EXECUTE pgr_statement;
    END LOOP;
END
"""
    yield _block(body)


def _check(step: Step) -> list[str]:
    """The check of one value, as a block that raises unless it is as expected; empty for other steps."""
    expected = step.cell.expected
    row = single_row(expected.text) if expected is not None and step.cell.options.expect is None else None
    statements = split(step.text)
    if step.cell.phase not in LOOKING or row is None or len(row) != 1 or len(statements) != 1:
        return []
    if statements[0].gexec:
        return []
    ((name, value),) = row.items()
    body = f"""
#variable_conflict use_column
DECLARE
    pgr_said text;
BEGIN
    SELECT checked.{quote_identifier(name)} INTO pgr_said FROM (
{statements[0].sql}
    ) AS checked;
    IF pgr_said LIKE {quote_literal(UNSEEN + "%")} THEN
        RAISE WARNING '%', pgr_said;
    ELSIF pgr_said IS DISTINCT FROM {quote_literal(value)} THEN
        RAISE EXCEPTION '%', coalesce(pgr_said, 'null');
    END IF;
END
"""
    return [_block(body)]


def _block(body: str) -> str:
    tag = next(tag for tag in (f"$pgrehearse{n or ''}$" for n in itertools.count()) if tag not in body)
    return f"DO {tag}{body}{tag};"


def ended(sql: str) -> str:
    """``sql`` with its semicolon, which a comment at its end must not hide."""
    return f"{sql}\n;" if "--" in sql.rsplit("\n", 1)[-1] else f"{sql};"
