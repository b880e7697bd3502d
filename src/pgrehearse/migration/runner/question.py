"""What we ask between two statements of a migration: the time, the WAL, and which tables have another file.

Everything is asked amid the migration: no operator, function or table that its search path could replace.
PostgreSQL counts the rows of pg_class that a transaction inserts and updates. Where that count stands as it
did after the statement before, no table has got another file, and none is looked at. Where it was then is
kept in a setting of the transaction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from struct import unpack
from typing import Any, NamedTuple

import psycopg
from psycopg.pq.abc import PGresult

from pgrehearse.migration.runner.exclusive import READS
from pgrehearse.migration.runner.table_files import RELATIONS, File
from pgrehearse.text.reader import plain, reading
from pgrehearse.text.statement import Kind

__all__ = ["Answer", "Question", "Questions", "answer", "names_table"]

_ASK = """
SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()),
       pg_catalog.pg_wal_lsn_diff(
           pg_catalog.pg_current_wal_insert_lsn(), '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8,
       CASE WHEN changed THEN {look} END,
       {settings},
       CASE WHEN changed THEN pg_catalog.set_config('pgrehearse.relations', counted, true) END
  FROM (SELECT counted,
               COALESCE(pg_catalog.current_setting('pgrehearse.relations', true), '')
                   OPERATOR(pg_catalog.<>) counted
               OR pg_catalog.current_setting('track_counts') OPERATOR(pg_catalog.=) 'off' AS changed
          FROM (SELECT pg_catalog.concat(
                    pg_catalog.pg_stat_get_xact_tuples_inserted('1259'::pg_catalog.oid), '/',
                    pg_catalog.pg_stat_get_xact_tuples_updated('1259'::pg_catalog.oid)) AS counted) AS now
       ) AS asked
"""
_SETTINGS = ", ".join(f"pg_catalog.current_setting('{name}')" for name in READS)
_LOOK = f"""
(SELECT pg_catalog.json_agg(
            pg_catalog.json_build_array(f.oid, f.schema, f.quoted, f.name, f.file))::pg_catalog.text
   FROM ({RELATIONS} {{which}}) AS f (oid, schema, quoted, name, file))
"""
#: Rows that this transaction has written, or one within it.
_TOUCHED = "AND pg_catalog.age(c.xmin) OPERATOR(pg_catalog.<=) 0"
#: Tables of a name and all that inherits from them, for those that cannot be altered alone. In whatever
#: schema: looking a name up along the search path may need a right that making the table did not.
_NAMED = """
   AND c.oid OPERATOR(pg_catalog.=) ANY (ARRAY(
       WITH RECURSIVE heirs (oid) AS (
           SELECT r.oid FROM pg_catalog.pg_class AS r
            WHERE r.relname OPERATOR(pg_catalog.=) $1::pg_catalog.name
           UNION ALL
           SELECT i.inhrelid FROM heirs AS h JOIN pg_catalog.pg_inherits AS i
                  ON i.inhparent OPERATOR(pg_catalog.=) h.oid)
       SELECT h.oid FROM heirs AS h))
"""
_PREPARED = "SELECT name FROM pg_catalog.pg_prepared_statements"
#: What stands for each question, by its name.
_LOOKS = {
    "nothing": "NULL::pg_catalog.text",
    "all": _LOOK.format(which=_TOUCHED),
    "named": _LOOK.format(which=_NAMED),
}
_QUESTIONS = {look: _ASK.format(look=text, settings=_SETTINGS) for look, text in _LOOKS.items()}
#: After these, and after CREATE or ALTER of such a thing, no table has another file, and there is no new one.
_NEITHER = ("comment", "drop", "grant", "revoke")
_NO_TABLES = (
    *("aggregate", "cast", "collation", "constraint", "conversion", "default", "domain", "function", "index"),
    *("operator", "or", "policy", "procedure", "role", "routine", "rule", "sequence", "statistics"),
    *("trigger", "unique", "user", "view"),
)


class Question(NamedTuple):
    """A prepared statement and its parameters."""

    name: bytes
    values: Sequence[bytes] | None = None


class Answer(NamedTuple):
    """``at``: seconds of the server's clock. ``wal``: bytes. ``files``: of tables that were looked at.

    ``settings``: the values of `exclusive.READS`.
    """

    at: float
    wal: int
    settings: tuple[bytes | None, ...]
    files: Sequence[File]


class Questions:
    """The questions, prepared on ``connection`` as long as the session lasts.

    Args:
        name: what their names begin with; nothing is prepared under such a name yet, nor by the migration.
        tables: whether a statement names a table that it makes or alters.
    """

    def __init__(self, connection: psycopg.Connection[Any], name: str, *, tables: bool = True) -> None:
        self._connection = connection
        self._prefix = name
        self._looks = [look for look in _LOOKS if tables or look != "named"]
        self._prepared = False
        self.nothing, self._all = Question(f"{name}_nothing".encode()), Question(f"{name}_all".encode())
        self._named = f"{name}_named".encode()

    def prepare(self) -> None:
        """Prepare those that are not, or no longer after DEALLOCATE ALL."""
        known = {name for (name,) in self._connection.execute(_PREPARED)} if self._prepared else set()
        missing = [look for look in self._looks if f"{self._prefix}_{look}" not in known]
        if missing:  # in one message
            self._connection.execute("; ".join(map(self._preparation, missing)).encode())
        self._prepared = True

    def _preparation(self, look: str) -> str:
        takes = "(pg_catalog.text)" if look == "named" else ""
        return f"PREPARE {self._prefix}_{look} {takes} AS {_QUESTIONS[look]}"

    def after(self, sql: str, kind: Kind) -> Question:
        """What is to be asked after ``sql``, which is of ``kind``: no more than what it can have done."""
        second = "".join(kind.words[1:2])
        if kind.verb in _NEITHER or (kind.verb in ("alter", "create") and second in _NO_TABLES):
            return self.nothing
        if names_table(kind) and (table := _table(sql)):
            return Question(self._named, [table.encode()])
        return self._all


def names_table(kind: Kind) -> bool:
    """Whether a statement of ``kind`` may name a table that it makes or alters."""
    return "table" in kind.words[1:3]


def _table(sql: str) -> str | None:
    """The name of what ``sql`` makes or alters: no other table than that and its heirs can be rewritten.

    None: all are to be looked at, also where the server may know it under another name.
    """
    reader = reading(sql)
    if reader.takes_one("alter", "create") == "create":
        reader.takes("unlogged")
    if not reader.takes("table") or reader.takes("all"):
        return None
    _ = reader.takes("if", "exists") or reader.takes("if", "not", "exists")
    reader.takes("only")
    name = "".join(reader.path()[-1:])
    same = name.startswith('"') or name.isascii()
    return plain(name) if name and same and reader.sign() != "&" else None  # U&"..."


def answer(result: PGresult) -> Answer:
    """What came back for a question, asked for in binary."""
    at, wal, files, *settings = (result.get_value(0, column) for column in range(3 + len(READS)))
    assert at is not None and wal is not None
    (seconds,), (offset,) = unpack("!d", at), unpack("!q", wal)
    return Answer(seconds, offset, tuple(settings), json.loads(files) if files else ())
