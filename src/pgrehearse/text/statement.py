"""What a statement is, as far as that decides how it is carried out, measured or shown. No database here.

Only the text is known: what a procedure, a function or a DO block does is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from pgrehearse.text.concurrent import is_concurrent
from pgrehearse.text.reader import Reader, literal, lowered, reading
from pgrehearse.text.rows import changes
from pgrehearse.text.settings import Setting, configured, session_calls, settings
from pgrehearse.text.split import SplitError, Statement, tokens
from pgrehearse.text.temporary import changes_temporary, makes_temporary

__all__ = ["Control", "Kind", "classify", "code", "generated"]

_DDL = frozenset(
    (
        *("alter", "analyze", "cluster", "comment", "create", "drop", "refresh", "reindex", "repack"),
        *("truncate", "vacuum"),
    )
)
#: Neither a rollback nor a copy of the database keeps their effect to itself.
_OUTSIDE = frozenset(
    {("alter", "system")}
    | {(verb, what) for verb in ("create", "drop") for what in ("database", "tablespace", "subscription")}
    | {("alter", "subscription")}
)
_OPENING = re.compile(r"['\"$]|/\*")
_BLANK = re.compile(r"\s")
_UNLOCKS = "pg_advisory_unlock_all"
#: Characters of a statement that is remembered.
_SHORT = 1024
#: An INSERT, UPDATE or DELETE by its ASCII words: it is nothing else, whatever follows, unless it names a
#: temporary table. Files hold millions.
_ROWS = re.compile(
    r"[ \t\n\r\f\v]*(?P<words>(?i:insert|update|delete)(?![\w$])"
    r"(?:[ \t\n\r\f\v]++[A-Za-z_][A-Za-z0-9_$]*+)*+)"
    r"(?<!(?i:pg_temp))(?![ \t\n\r\f\v]*+\"pg_temp\")"
    r"(?=[ \t\n\r\f\v]*+(?:[(.=,*\"<>]|\Z))"
)


class Control(Enum):
    """What a statement does to the transaction."""

    OPENS = "opens it"
    CLOSES = "ends it"
    GIVES_UP = "ends it and undoes it"
    WITHIN = "sets a savepoint, or goes back to one"


@dataclass(frozen=True)
class Kind:
    """Answers about one statement.

    Attributes:
        words: its first bare words in lower case, eight at most.
        control: what it does to the transaction, if that is all it does.
        settings: what it changes with SET, RESET or set_config.
        of_the_session: all it does ends with the session, so a resumed run needs it again.
        temporary: it makes a relation, type or function that ends with the session.
        of_temporary: it makes, changes or drops one such thing, or rows of it, and names no other that it
            changes.
        routine: it makes a function or procedure.
        alone: it refuses a transaction block.
        ddl: it defines or maintains what others use too, so its locks count. Not routines, and nothing of
            the whole cluster such as roles.
        outside: it acts beyond its database, where neither a rollback nor a copy keeps that to itself: on the
            cluster, or by a program or a file of the server.
        changes_rows: INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY FROM, also within WITH, COPY and EXPLAIN.
        concurrent: it says CONCURRENTLY.
        unlocks: it gives up every advisory lock of the session.
    """

    words: tuple[str, ...]
    control: Control | None = None
    settings: tuple[Setting, ...] = ()
    of_the_session: bool = False
    temporary: bool = False
    of_temporary: bool = False
    routine: bool = False
    alone: bool = False
    ddl: bool = False
    outside: bool = False
    changes_rows: bool = False
    concurrent: bool = False
    unlocks: bool = False

    @property
    def in_turn(self) -> bool:
        """Whether it works in several transactions, and takes its strong lock at the end of the work."""
        return self.concurrent and self.alone

    @property
    def called(self) -> str:
        """It as a sentence names it, such as ALTER SYSTEM."""
        return " ".join(self.words[: 1 if self.verb == "copy" else 2]).upper()

    @property
    def verb(self) -> str:
        """Its first word; empty when it begins with something else."""
        return self.words[0] if self.words else ""

    def begins(self, *words: str) -> bool:
        """Whether its first words are these."""
        return self.words[: len(words)] == words


def classify(statement: Statement | str) -> Kind:
    """What ``statement`` is. Raises SplitError: it is nothing psql could send."""
    sql = statement if isinstance(statement, str) else statement.sql
    rows = _ROWS.match(sql)
    if rows is not None and _UNLOCKS not in sql.lower():
        return _of_rows(rows["words"])
    return _short(sql) if len(sql) <= _SHORT else _read(sql)


@lru_cache(maxsize=1024)
def _of_rows(words: str) -> Kind:
    return Kind(words=tuple(words.lower().split()[:8]), changes_rows=True)


@lru_cache(maxsize=8192)  # a migration is looked at before it is run, a cell by the linter and the run
def _short(sql: str) -> Kind:
    return _read(sql)


def _read(sql: str) -> Kind:
    reader = reading(sql)
    words = reader.words()
    verb = words[0] if words else ""
    calls, others = session_calls(reader.again()) if verb == "select" else ([], False)
    changed = tuple(settings(reader.again())) or tuple(configured(calls))
    temporary, routine = makes_temporary(reader.again()), _routine(reader.again())
    says_concurrently = verb in _DDL and is_concurrent(reader.again())
    if calls:
        lasts = not others and (len(changed) < len(calls) or any(not one.local for one in changed))
    else:
        lasts = temporary or any(not one.local for one in changed) or _lasts(reader.again())
    return Kind(
        words=words,
        control=_control(reader.again()),
        settings=changed,
        of_the_session=lasts,
        temporary=temporary,
        of_temporary=temporary or changes_temporary(reader.again()),
        routine=routine,
        alone=_alone(reader.again(), says_concurrently),
        ddl=verb in _DDL and not (temporary or routine or _of_the_cluster(reader.again())),
        outside=words[:2] in _OUTSIDE or _copies_outside(reader.again()),
        changes_rows=changes(reader.again()),
        concurrent=says_concurrently,
        unlocks=words[:2] == ("discard", "all") or (_UNLOCKS in sql.lower() and _unlocks(reader.again())),
    )


def _control(reader: Reader) -> Control | None:
    if reader.takes("begin") or reader.takes("start", "transaction"):
        return Control.OPENS
    if reader.takes("prepare", "transaction") or reader.takes_one("commit", "end"):
        return Control.CLOSES
    if reader.takes_one("savepoint", "release"):
        return Control.WITHIN
    if undoes := reader.takes_one("rollback", "abort"):
        reader.takes_one("work", "transaction")
        return Control.WITHIN if undoes == "rollback" and reader.word() == "to" else Control.GIVES_UP
    return None


def _lasts(reader: Reader) -> bool:
    """Whether its effect lasts as long as the session, for commands that do nothing else."""
    if reader.takes("prepare"):
        return reader.word() != "transaction"
    if reader.takes("declare"):
        reader.path()
        while reader.takes_one("binary", "asensitive", "insensitive", "no", "scroll"):
            pass
        return reader.takes("cursor", "with", "hold")
    return bool(reader.takes_one("deallocate", "discard", "listen", "load", "unlisten"))


def _routine(reader: Reader) -> bool:
    if not reader.takes("create"):
        return False
    reader.takes("or", "replace")
    return reader.word() in ("function", "procedure")


def _of_the_cluster(reader: Reader) -> bool:
    if not reader.takes_one("alter", "create", "drop") and not reader.takes("comment", "on"):
        return False
    return reader.word() in ("database", "role", "system", "user")


def _copies_outside(reader: Reader) -> bool:
    """Whether a COPY starts a program of the server, or writes a file there."""
    if not reader.takes("copy"):
        return False
    if not reader.parenthesis():
        reader.path()
        reader.parenthesis()
    way = reader.takes_one("from", "to")
    token = reader.token()
    return bool(way) and (
        reader.word() == "program" or (way == "to" and token is not None and token.kind != "word")
    )


def _alone(reader: Reader, says_concurrently: bool) -> bool:
    words = reader.words()
    match words[:2]:
        case ("create" | "drop", "database" | "subscription" | "tablespace"):
            return True
        case ("alter", "subscription" | "system") | ("discard", "all") | ("commit" | "rollback", "prepared"):
            return True
        case ("alter", "database"):
            reader.at = 2
            return bool(reader.path()) and reader.takes("set", "tablespace")
        case ("create" | "drop", "index" | "unique") | ("alter", "table"):
            return says_concurrently
    if reader.takes("reindex"):
        reader.parenthesis()
        return says_concurrently or reader.word() in ("database", "schema", "system")
    if reader.takes("cluster") or reader.takes("repack"):
        reader.parenthesis()
        reader.takes("verbose")
        return says_concurrently or reader.token() is None
    return words[:1] == ("vacuum",)


def _unlocks(reader: Reader) -> bool:
    kinds = ("word", "quoted", "string", "dollar")
    return any(_UNLOCKS in token.text.lower() for token in reader.rest() if token.kind in kinds)


def generated(statement: Statement) -> Iterator[Kind]:
    """What the constants of ``statement`` are as statements: ``\\gexec`` or EXECUTE may carry them out."""
    for token in statement.tokens:
        text = literal(token)
        if text is not None and _BLANK.search(text.lstrip()):  # a single word is a value
            try:
                yield classify(text)
            except SplitError:  # one part of a statement, with a quote that another part closes
                yield classify(_OPENING.split(text, maxsplit=1)[0])


#: What stands in `code` for a token.
_BARE = {"space": " ", "comment": " ", "string": "''", "dollar": "''", "quoted": '""'}


def code(sql: str) -> str:
    """The statement on one line, words in lower case, without comments and without what quotes hold."""
    parts = (_BARE.get(token.kind) or lowered(token) for token in tokens(sql))
    return re.sub(r" +", " ", "".join(parts)).strip()
