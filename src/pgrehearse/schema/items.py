"""Statements of a dump as items that can be compared one by one, in any order.

A table becomes its head, its columns and its constraints, so that a difference names the column and so that
the physical order of columns is none. What PostgreSQL 18 calls a NOT NULL by itself is no difference either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pgrehearse.environments.marks import IN_COMMENT
from pgrehearse.schema.dump_text import Raw, closing, commas
from pgrehearse.schema.kinds import IDENTIFIER, NAME, described
from pgrehearse.text import passwords

__all__ = ["Item", "items"]

_ID, _Q = IDENTIFIER, NAME
_DATABASE = re.compile(rf"\bDATABASE {_ID}")
_OPTION = r"[\w.]+=(?:'(?:[^']|'')*'|[\w.]+)"
_OPTIONS = re.compile(rf"\bWITH \(({_OPTION}(?:, ?{_OPTION})*)\)")
_TABLE = re.compile(
    rf"CREATE (?P<kind>(?:UNLOGGED |FOREIGN )?TABLE) (?P<name>{_Q})(?P<of> OF {_Q})?\s*(?=\()"
)
_CONSTRAINT = re.compile(rf"\bADD CONSTRAINT ({_ID})")
_NOT_NULL = re.compile(r'CONSTRAINT (?:"[^"]*_not_null\d*"|\w+_not_null\d*) (?=NOT NULL\b)')
#: pg_dump's preamble and what it sets for itself.
_NOISE = re.compile(
    r"SET (?!SESSION AUTHORIZATION)|RESET SESSION|SELECT pg_catalog\.set_config\(|CREATE DATABASE "
)
_MARK = re.compile(r'SET "?pgrehearse\.')
_MARK_IN_COMMENT = re.compile(rf"{IN_COMMENT}(?='$)")
#: What is ours and yet in the dump: by the head of a statement, for a comment or a body may say the same.
_OWN = re.compile(
    r"(?:CREATE|ALTER|COMMENT ON) EVENT TRIGGER pgrehearse_log_(?:ddl|drop)\b"
    rf"|(?:CREATE|ALTER|COMMENT ON|ALTER PUBLICATION {_ID} ADD|(?:GRANT|REVOKE) [A-Z, ]+ ON) TABLE (?:ONLY )?"
    r"(?:pgrehearse\.|public\.schema_migrations\b)"
)


@dataclass(frozen=True, order=True)
class Item:
    """One statement of a definition.

    Attributes:
        object: what it belongs to, such as ``table public.orders``; differences are grouped by it.
        subject: what it says about the object, such as ``column price``; two items of one subject are
            two versions of the same thing.
        sql: the statement, without semicolon. ``:"DBNAME"`` is the database, as in psql. A password is
            replaced by a mark that is equal for equal passwords within this process.
    """

    object: str
    subject: str
    sql: str


def items(raws: Iterable[Raw]) -> Iterator[Item]:
    """The items of a dump's statements."""
    method = "heap"
    grantor = ""
    for raw in raws:
        sql = raw.sql
        if sql.startswith("SET default_table_access_method = "):
            method = sql.rpartition(" ")[2]
        elif sql.startswith("SET SESSION AUTHORIZATION "):
            grantor = "" if sql.endswith(" DEFAULT") else sql + "; "
        elif sql.startswith("RESET SESSION AUTHORIZATION"):
            grantor = ""
        elif not _NOISE.match(sql):
            yield from _statement(raw, grantor, method)


def _statement(raw: Raw, grantor: str, method: str) -> Iterator[Item]:
    entry, sql = raw.entry, raw.sql
    if entry.type in ("DATABASE", "DATABASE PROPERTIES") or entry.name.startswith("DATABASE "):
        sql = _DATABASE.sub('DATABASE :"DBNAME"', sql, count=1)
        if _MARK.search(sql):
            return
        if entry.type == "COMMENT":
            sql = _MARK_IN_COMMENT.sub("", sql)
            if sql.endswith(" IS ''"):
                return
    if ("pgrehearse" in sql or "schema_migrations" in sql) and _OWN.match(sql):
        return
    if entry.type in ("SUBSCRIPTION", "USER MAPPING", "SERVER"):
        sql = passwords.marked(sql)
    if table := _TABLE.match(sql):
        yield from _table(sql, table)
    else:
        if entry.type not in ("FUNCTION", "PROCEDURE", "AGGREGATE", "COMMENT", "POLICY", "TRIGGER", "RULE"):
            sql = _OPTIONS.sub(_sorted, sql) if " WITH (" in sql else sql
        if sql.startswith("CREATE OR REPLACE VIEW"):
            sql = sql.replace(" OR REPLACE", "", 1)
        elif entry.type == "VIEW" and re.search(r" AS\nSELECT\s+NULL::", sql):
            return  # pg_dump's placeholder of a view that is defined later
        if sql.startswith(("ALTER TABLE", "ALTER FOREIGN TABLE", "CREATE DOMAIN")):
            sql = _NOT_NULL.sub("", sql)
        yield Item(*described(sql, entry.type, entry.schema, entry.name), grantor + sql)
    if entry.type in ("TABLE", "MATERIALIZED VIEW") and sql.startswith("CREATE "):
        kind, name = entry.type.lower(), _name(entry.schema, entry.name)
        if method != "heap" and not re.search(r"\bPARTITION BY\b", sql):
            yield Item(
                f"{kind} {name}", "access method", f"ALTER {entry.type} {name} SET ACCESS METHOD {method}"
            )
    if entry.tablespace and sql.startswith(("CREATE ", "ALTER TABLE ONLY")):
        kind, name = entry.type, _name(entry.schema, entry.name)
        if constraint := _CONSTRAINT.search(sql) if kind == "CONSTRAINT" else None:
            kind, name = "INDEX", f"{_name(entry.schema)}.{constraint[1]}"
        yield Item(
            f"{kind.lower()} {name}", "tablespace", f"ALTER {kind} {name} SET TABLESPACE {entry.tablespace}"
        )


def _table(sql: str, head: re.Match[str]) -> Iterator[Item]:
    """The head of a table, its columns, and its constraints."""
    end = closing(sql, head.end())
    tail = _OPTIONS.sub(_sorted, sql[end + 1 :].strip())
    name = head["name"]
    alter = "ALTER FOREIGN TABLE" if "FOREIGN" in head["kind"] else "ALTER TABLE"
    yield Item(f"table {name}", "table", f"{head[0].rstrip()} () {tail}".rstrip())
    for part in commas(sql[head.end() + 1 : end].strip()):
        if not part:
            continue
        text = _NOT_NULL.sub("", part)
        what = "" if text.startswith(("CONSTRAINT ", "NOT NULL ")) else "COLUMN "
        if named := re.match(rf"(?P<kind>CONSTRAINT |NOT NULL |)({_ID})", text):
            subject = f"{named['kind'].lower().strip() or 'column'} {named[2]}"
        else:
            subject = text
        yield Item(f"table {name}", subject, f"{alter} {name} ADD {what}{text}")


def _name(*parts: str) -> str:
    """The parts of a name as SQL writes them."""
    return ".".join(
        part if re.fullmatch(r"[a-z_][a-z0-9_$]*", part) else '"' + part.replace('"', '""') + '"'
        for part in parts
    )


def _sorted(found: re.Match[str]) -> str:
    return f"WITH ({', '.join(sorted(re.findall(_OPTION, found[1])))})"
