"""Whether a statement changes rows, and of which table."""

from __future__ import annotations

from collections.abc import Iterator

from pgrehearse.text.reader import Reader, reading
from pgrehearse.text.split import Statement

__all__ = ["CHANGES", "changed_whole", "changes", "filled", "limit"]

#: The verbs of what changes rows.
CHANGES = ("insert", "update", "delete", "merge")


def changes(reader: Reader) -> bool:
    """Whether the statement at the place of ``reader`` changes rows."""
    if reader.takes_one(*CHANGES, "truncate"):
        return True
    if reader.takes("explain"):
        return _analyzes(reader) and changes(reader)
    if reader.takes("copy"):
        if inside := reader.parenthesis():
            return changes(Reader(inside))
        reader.path()
        reader.parenthesis()
        return reader.word() == "from"
    return reader.takes("with") and _with(reader)


def _analyzes(reader: Reader) -> bool:
    """Goes past the options of EXPLAIN: whether it carries the statement out."""
    options = Reader(reader.parenthesis())
    found = any(options.word() not in ("false", "off") for _ in options.outer("analyze"))
    while word := reader.takes_one("analyze", "verbose"):
        found = found or word == "analyze"
    return found


def _with(reader: Reader) -> bool:
    """The same for what follows WITH: one of its queries, or the statement they belong to."""
    reader.takes("recursive")
    before = ","
    while (token := reader.token()) is not None:
        if token.text == "(":
            inside = reader.parenthesis()
            if changes(Reader(inside)):
                return True
            before = ")"
            continue
        if before != "," and reader.word() in ("select", "values", "table", *CHANGES):
            return reader.word() in CHANGES
        before = token.text
        reader.at += 1
    return False


def changed_whole(statement: Statement | str) -> str | None:
    """The table, as written, that an UPDATE or DELETE without WHERE changes; None for any other statement."""
    reader = reading(statement)
    if not (reader.takes("update") or reader.takes("delete", "from")):
        return None
    reader.takes("only")
    table = ".".join(reader.path())
    return None if any(reader.outer("where")) else table


def limit(statement: Statement | str) -> int | None:
    """The number of a LIMIT in an UPDATE or DELETE, maybe after WITH: of a batch; None without one."""
    reader = reading(statement)
    if reader.word() not in ("update", "delete", "with"):
        return None
    for _ in reader.rest():
        token = reader.token(1)
        if reader.word() == "limit" and token is not None and token.text.isdigit():
            return int(token.text)
    return None


def filled(statement: Statement | str) -> Iterator[str]:
    """The tables, as written, that ``statement`` puts rows into by INSERT, maybe within WITH, or by COPY."""
    reader = reading(statement)
    if reader.takes("copy") and (path := reader.path()):
        yield ".".join(path)
    within = reader.word() == "with"
    while reader.token() is not None:
        if reader.takes("insert", "into"):
            yield ".".join(reader.path())
        elif within:
            reader.at += 1
        if not within:
            return
