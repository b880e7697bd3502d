"""What an interrupted concurrent statement may have left: INVALID indexes.

`IF NOT EXISTS` would be content with one, so it stops the run unless its step cleared it away. That is asked
right before the statement is sent again, and when the step is done.
"""

from __future__ import annotations

from collections.abc import Iterable

from pgrehearse import queries
from pgrehearse.text.concurrent import Index, Reindex, built_index, concurrent
from pgrehearse.text.reader import plain, reading
from pgrehearse.text.split import SplitError
from pgrehearse.text.statement import classify
from pgrehearse.text.variables import quote_literal

__all__ = ["NEXT_STEP", "REMAINS", "clears", "no_remains"]

#: SQLSTATE of no_remains.sql.
REMAINS = "PGR02"
NEXT_STEP = "run it with --from-top, whose steps look for remains; or drop the index yourself"
_ANY = "true"


def no_remains(statements: Iterable[str | None]) -> str:
    """The statement that raises PGR02 when one of ``statements`` left something; empty when none of them can.

    ``statements``: None stands for one whose text is not known any more.
    """
    conditions = {condition for sql in statements if (condition := _condition(sql))}
    if not conditions:
        return ""
    condition = _ANY if _ANY in conditions else " OR ".join(sorted(conditions))
    return queries.text("no_remains", condition=condition).decode()


def clears(sql: str, begun: Iterable[str | None], *, generated: bool) -> bool:
    """Whether ``sql`` clears away what one of ``begun`` may have left, and harms nothing.

    ``generated``: a query has just found what is to be dropped.
    """
    reader = reading(sql)
    if not reader.takes("drop", "index"):
        return False
    reader.takes("concurrently")
    if not reader.takes("if", "exists"):
        return generated
    built = {index.name for text in begun if text and (index := built_index(text))}
    return generated or any(plain(name) in built for name in reader.path()[-1:])


def _condition(sql: str | None) -> str:
    """Which rows ``i`` of pg_index and ``c`` of pg_class ``sql`` may have left; empty for none."""
    if sql is None:
        return _ANY
    match concurrent(sql):
        case Index(name, table):
            return (
                f"c.relname OPERATOR(pg_catalog.=) {quote_literal(name)}"
                f" AND i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({quote_literal(table)})"
            )
        case Reindex():
            return "c.relname OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$'"
        case None:
            return _ANY if _builds(sql) else ""
    return ""  # a drop goes on when it is sent again, a detachment is refused by PostgreSQL


def _builds(sql: str) -> bool:
    """Whether it builds an index concurrently whose name PostgreSQL chooses."""
    try:
        kind = classify(sql)
    except SplitError:  # generated, with a quote that nothing closes: it was refused as a whole
        return False
    return kind.alone and kind.concurrent and kind.verb in ("create", "reindex")
