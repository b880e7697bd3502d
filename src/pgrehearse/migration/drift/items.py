"""Statements of a dump as items that can be compared one by one, in any order.

A table becomes its head, its columns and its constraints, so that a difference names the column and so that
the physical order of columns is none. What PostgreSQL 18 calls a NOT NULL by itself is no difference either.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pgrehearse.migration.drift.statements import Raw, closing, commas

__all__ = ["Item", "items"]

_ID = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_Q = rf"{_ID}(?:\.{_ID})*"
_PART = re.compile(rf"(?P<id>{_ID})")
_DATABASE = re.compile(rf"\bDATABASE {_ID}")
_OPTION = r"[\w.]+=(?:'(?:[^']|'')*'|[\w.]+)"
_OPTIONS = re.compile(rf"\bWITH \(({_OPTION}(?:, ?{_OPTION})*)\)")
_TABLE = re.compile(
    rf"CREATE (?P<kind>(?:UNLOGGED |FOREIGN )?TABLE) (?P<name>{_Q})(?P<of> OF {_Q})?\s*(?=\()"
)
_NOT_NULL = re.compile(r'CONSTRAINT (?:"[^"]*_not_null\d*"|\w+_not_null\d*) (?=NOT NULL\b)')
_SECRET = re.compile(
    r"\b(?P<word>password|passfile|sslpassword)(?P<is> |=)(?P<value>'(?:[^']|'')*'|[^\s']+)", re.I
)
_SALT = secrets.token_bytes(16)
#: pg_dump's preamble and what it sets for itself.
_NOISE = re.compile(
    r"SET (?!SESSION AUTHORIZATION)|RESET SESSION|SELECT pg_catalog\.set_config\(|CREATE DATABASE "
)
_MARK = re.compile(r'SET "?pgrehearse\.')
_OWN = re.compile(r"EVENT TRIGGER pgrehearse_|TABLE (?:ONLY )?(?:pgrehearse\.|public\.schema_migrations\b)")

#: (pattern, object it belongs to, what it says about it); the first that fits wins.
_KINDS = [
    (re.compile(pattern, re.DOTALL), owner, subject)
    for pattern, owner, subject in (
        (rf"COMMENT ON COLUMN (?P<o>{_Q})\.(?P<n>{_ID}) IS", "table {o}", "comment on column {n}"),
        (
            rf"COMMENT ON CONSTRAINT (?P<n>{_ID}) ON DOMAIN (?P<o>{_Q}) IS",
            "domain {o}",
            "comment on constraint {n}",
        ),
        (
            rf"COMMENT ON (?P<k>CONSTRAINT|TRIGGER|POLICY|RULE) (?P<n>{_ID}) ON (?P<o>{_Q}) IS",
            "table {o}",
            "comment on {k} {n}",
        ),
        (
            rf"COMMENT ON (?P<k>TABLE|VIEW|MATERIALIZED VIEW|FOREIGN TABLE) (?P<o>{_Q}) IS",
            "{k} {o}",
            "comment",
        ),
        (rf"CREATE (?:UNIQUE )?INDEX (?P<n>{_ID}) ON (?:ONLY )?(?P<o>{_Q}) USING", "table {o}", "index {n}"),
        (rf"CREATE (?:CONSTRAINT )?TRIGGER (?P<n>{_ID}) .*? ON (?P<o>{_Q}) ", "table {o}", "trigger {n}"),
        (rf"CREATE POLICY (?P<n>{_ID}) ON (?P<o>{_Q})", "table {o}", "policy {n}"),
        (rf"CREATE RULE (?P<n>{_ID}) AS\s+ON \w+ TO (?P<o>{_Q})", "table {o}", "rule {n}"),
        (
            rf"ALTER (?:FOREIGN )?TABLE (?:ONLY )?(?P<o>{_Q})\s+ADD CONSTRAINT (?P<n>{_ID})",
            "table {o}",
            "constraint {n}",
        ),
        (
            rf"ALTER (?:FOREIGN )?TABLE (?:ONLY )?(?P<o>{_Q})\s+ADD COLUMN (?P<n>{_ID})",
            "table {o}",
            "column {n}",
        ),
        (
            rf"ALTER (?:FOREIGN )?TABLE (?:ONLY )?(?P<o>{_Q})\s+ALTER (?:COLUMN )?(?P<n>{_ID}) (?P<v>\w+ \w+)",
            "table {o}",
            "column {n}: {v}",
        ),
        (
            rf"ALTER TABLE (?:ONLY )?(?P<o>{_Q})\s+ATTACH PARTITION (?P<n>{_Q})",
            "table {o}",
            "partition {n}",
        ),
        (
            rf"ALTER (?P<k>(?:FOREIGN )?TABLE|VIEW|MATERIALIZED VIEW|SEQUENCE) (?:ONLY )?(?P<o>{_Q}) OWNER TO",
            "{k} {o}",
            "owner",
        ),
        (
            rf"ALTER TABLE (?:ONLY )?(?P<o>{_Q})\s+(?:ENABLE|DISABLE)(?: ALWAYS| REPLICA)? (?P<k>TRIGGER|RULE) (?P<n>{_ID})",
            "table {o}",
            "firing of {k} {n}",
        ),
        (
            rf"ALTER TABLE (?:ONLY )?(?P<o>{_Q})\s+(?P<v>REPLICA IDENTITY|CLUSTER ON|ENABLE ROW|FORCE ROW|SET \w+ \w+|SET \w+)",
            "table {o}",
            "{v}",
        ),
        (rf"CREATE STATISTICS (?P<n>{_Q}) .* FROM (?P<o>{_Q})$", "table {o}", "statistics {n}"),
        (rf"CREATE (?:OR REPLACE )?VIEW (?P<o>{_Q})", "view {o}", "view"),
        (rf"CREATE MATERIALIZED VIEW (?P<o>{_Q})", "materialized view {o}", "view"),
        (rf"(?:CREATE|ALTER) (?:UNLOGGED )?SEQUENCE (?P<o>{_Q}) OWNED BY", "sequence {o}", "owned by"),
        (rf"(?:CREATE|ALTER) (?:UNLOGGED )?SEQUENCE (?P<o>{_Q})", "sequence {o}", "sequence"),
        (rf"ALTER ROLE (?P<o>{_ID}) IN DATABASE \S+ SET (?P<n>\S+) TO", "role {o}", "setting {n} here"),
        (r'ALTER DATABASE :"DBNAME" SET (?P<n>\S+) TO', "database", "setting {n}"),
        (r'ALTER DATABASE :"DBNAME" (?P<n>OWNER TO|CONNECTION LIMIT|IS_TEMPLATE)', "database", "{n}"),
        (r'COMMENT ON DATABASE :"DBNAME"', "database", "comment"),
        (
            rf"ALTER DEFAULT PRIVILEGES (?P<w>.*?) (?:GRANT|REVOKE) .* (?:TO|FROM) (?P<n>{_ID})",
            "default privileges {w}",
            "of {n}",
        ),
        (
            rf"(?:GRANT|REVOKE) .*? ON (?P<k>TABLE) (?P<o>{_Q}) (?:TO|FROM) (?P<n>{_ID})",
            "table {o}",
            "privileges of {n}",
        ),
        (
            rf"(?:GRANT|REVOKE) .*? ON DATABASE \S+ (?:TO|FROM) (?P<n>{_ID})",
            "database",
            "privileges of {n}",
        ),
        (
            rf"(?:GRANT|REVOKE) .*? ON (?P<o>.*) (?:TO|FROM) (?P<n>{_ID})(?: WITH GRANT OPTION)?$",
            "{o}",
            "privileges of {n}",
        ),
        (r"COMMENT ON (?P<o>.*?) IS (?:'|NULL)", "{o}", "comment"),
        (rf"ALTER (?P<o>.*) OWNER TO {_ID}$", "{o}", "owner"),
    )
]


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
    if _OWN.search(sql[:200]):
        return
    if entry.type in ("SUBSCRIPTION", "USER MAPPING", "SERVER"):
        sql = _SECRET.sub(_hidden, sql)
    if table := _TABLE.match(sql):
        yield from _table(sql, table)
    else:
        if entry.type not in ("FUNCTION", "PROCEDURE", "AGGREGATE", "COMMENT", "POLICY", "TRIGGER", "RULE"):
            sql = _OPTIONS.sub(_sorted, sql)
        if sql.startswith("CREATE OR REPLACE VIEW"):
            sql = sql.replace(" OR REPLACE", "", 1)
        elif entry.type == "VIEW" and re.search(r" AS\nSELECT\s+NULL::", sql):
            return  # pg_dump's placeholder of a view that is defined later
        yield replace(
            _described(_NOT_NULL.sub("", sql), entry.type, entry.name), sql=grantor + _NOT_NULL.sub("", sql)
        )
    if entry.type in ("TABLE", "MATERIALIZED VIEW") and sql.startswith("CREATE "):
        kind, name = entry.type.lower(), _name(entry.schema, entry.name)
        if method != "heap" and not re.search(r"\bPARTITION BY\b", sql):
            yield Item(
                f"{kind} {name}", "access method", f"ALTER {entry.type} {name} SET ACCESS METHOD {method}"
            )
    if entry.tablespace and sql.startswith(("CREATE ", "ALTER TABLE ONLY")):
        kind = "INDEX" if entry.type in ("INDEX", "CONSTRAINT") else entry.type
        name = _name(entry.schema, entry.name.rpartition(" ")[2])
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
        if named := re.match(rf"(?:CONSTRAINT )?({_ID})", text):
            subject = f"{what.lower().strip() or 'constraint'} {named[1]}"
        else:
            subject = text
        yield Item(f"table {name}", subject, f"{alter} {name} ADD {what}{text}")


def _described(sql: str, type_: str, name: str) -> Item:
    for pattern, owner, subject in _KINDS:
        if found := pattern.match(sql):
            words = {key: value or "" for key, value in found.groupdict().items()}
            words = {key: value.lower() if key in "kv" else value for key, value in words.items()}
            return Item(_plain(owner.format(**words)), subject.format(**words), sql)
    return Item(f"{type_.lower()} {name}".strip(), type_.lower(), sql)


def _plain(name: str) -> str:
    """``TABLE x`` and ``FUNCTION f()`` with their kind in lower case."""
    words = re.match(r"[A-Z ]+(?= )", name)
    return words[0].lower() + name[words.end() :] if words else name


def _name(schema: str, name: str) -> str:
    parts = [
        part if re.fullmatch(r"[a-z_][a-z0-9_$]*", part) else '"' + part.replace('"', '""') + '"'
        for part in (schema, name)
    ]
    return ".".join(parts)


def _sorted(found: re.Match[str]) -> str:
    return f"WITH ({', '.join(sorted(re.findall(_OPTION, found[1])))})"


def _hidden(found: re.Match[str]) -> str:
    mark = hmac.new(_SALT, found["value"].encode(), hashlib.sha256).hexdigest()[:8]
    return f"{found['word']}{found['is']}'hidden {mark}'"
