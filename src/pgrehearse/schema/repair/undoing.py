"""The statement that takes back one statement of a definition."""

from __future__ import annotations

import re
from collections.abc import Callable

from pgrehearse.schema.dump_text import closing, commas
from pgrehearse.schema.kinds import IDENTIFIER, NAME
from pgrehearse.schema.repair.outlines import options, outline

__all__ = ["GRANTOR", "loses", "undone"]

_I, _Q = IDENTIFIER, NAME
#: A role or database; and text in which a quoted name is one piece.
_N = rf'(?::"DBNAME"|{_I})'
_SAID = r'(?:"(?:[^"]|"")+"|[^"])*?'
#: Whoever granted; a dump says it in front of the statement.
GRANTOR = re.compile(r"SET SESSION AUTHORIZATION [^;]+; ")
_TABLE = rf"(?P<a>ALTER (?:FOREIGN )?TABLE (?:ONLY )?{_Q})\s+"
_COLUMN = _TABLE + rf"(?P<b>ALTER (?:COLUMN )?(?:{_I}|\d+)) "
#: What is dropped by its name alone.
_NAMED = (
    "ACCESS METHOD|COLLATION|CONVERSION|DOMAIN|EVENT TRIGGER|EXTENSION|FOREIGN DATA WRAPPER|FOREIGN TABLE"
    "|LANGUAGE|MATERIALIZED VIEW|PUBLICATION|ROLE|SCHEMA|SEQUENCE|SERVER|STATISTICS|SUBSCRIPTION|TABLE"
    "|TEXT SEARCH (?:CONFIGURATION|DICTIONARY|PARSER|TEMPLATE)|TYPE|VIEW"
)


def _function(found: re.Match[str]) -> str:
    """With its arguments, but without their defaults: DROP takes none."""
    sql = found.string
    end = closing(sql, found.end())
    inside = [
        one[: cut.start()] if (cut := re.search(r" (?:DEFAULT|=) ", outline(one))) else one
        for one in commas(sql[found.end() + 1 : end].strip())
    ]
    return f"DROP {found['k']} {found['n']}({', '.join(inside)})"


def _operator(found: re.Match[str]) -> str:
    left = re.search(r"LEFTARG = ([^\n]+?),?\n", found.string)
    right = re.search(r"RIGHTARG = ([^\n]+?),?\n", found.string)
    sides = [side[1] if side else "NONE" for side in (left, right)]
    return f"DROP OPERATOR {found['n']} ({', '.join(sides)})"


def _member(found: re.Match[str]) -> str:
    """A loose member of an operator family: by its number and types."""
    types = found["t"] or re.sub(r"^\(|\)$", "", found["s"] or "")
    return f"{found['a']} DROP {found['k']} {found['n']} ({types})"


_KINDS: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(pattern, re.DOTALL), undo)
    for pattern, undo in (
        (r"(?:CREATE (?:OR REPLACE )?)(?P<k>FUNCTION|PROCEDURE|AGGREGATE) (?P<n>[^(]+?)(?=\()", _function),
        (
            rf"CREATE OPERATOR (?P<k>CLASS|FAMILY) (?P<n>{_Q})\s.*?USING (?P<m>{_I})",
            r"DROP OPERATOR \g<k> \g<n> USING \g<m>",
        ),
        (rf"CREATE OPERATOR (?P<n>(?:{_I}\.)?[^\s\"(]+) \(", _operator),
        (
            rf"(?:-- INVALID: )?CREATE (?:UNIQUE )?INDEX (?P<n>{_I}) ON (?:ONLY )?(?P<s>(?:{_I}\.)?){_Q}",
            r"DROP INDEX \g<s>\g<n>",
        ),
        (rf"CREATE (?:CONSTRAINT )?TRIGGER (?P<n>{_I}) .*? ON (?P<t>{_Q})\s", r"DROP TRIGGER \g<n> ON \g<t>"),
        (rf"CREATE RULE (?P<n>{_I}) AS\s+ON \w+ TO (?P<t>{_Q})", r"DROP RULE \g<n> ON \g<t>"),
        (rf"CREATE POLICY (?P<n>{_I}) ON (?P<t>{_Q})", r"DROP POLICY \g<n> ON \g<t>"),
        (r"CREATE CAST (?=\()", lambda f: f"DROP CAST {f.string[f.end() : closing(f.string, f.end()) + 1]}"),
        (rf"CREATE TRANSFORM (?P<n>FOR .*? LANGUAGE {_I})", r"DROP TRANSFORM \g<n>"),
        (rf"CREATE USER MAPPING (?P<n>FOR {_I} SERVER {_I})", r"DROP USER MAPPING \g<n>"),
        (
            r"CREATE (?:OR REPLACE |TRUSTED |PROCEDURAL |UNLOGGED )*"
            rf"(?P<k>{_NAMED}) (?:IF NOT EXISTS )?(?P<n>{_Q})",
            r"DROP \g<k> \g<n>",
        ),
        (_COLUMN + "SET DEFAULT ", r"\g<a> \g<b> DROP DEFAULT"),
        (_COLUMN + "SET STORAGE ", r"\g<a> \g<b> SET STORAGE DEFAULT"),
        (_COLUMN + "SET COMPRESSION ", r"\g<a> \g<b> SET COMPRESSION default"),
        (_COLUMN + "SET STATISTICS ", r"\g<a> \g<b> SET STATISTICS -1"),
        (_COLUMN + "ADD GENERATED ", r"\g<a> \g<b> DROP IDENTITY"),
        (_COLUMN + r"SET \((?P<o>.*)\)$", lambda f: f"{f['a']} {f['b']} RESET ({_names(f['o'])})"),
        (
            _COLUMN + "OPTIONS ",
            lambda f: f"{f['a']} {f['b']} OPTIONS ({', '.join(f'DROP {n}' for n in options(f.string))})",
        ),
        (_TABLE + rf"ADD CONSTRAINT (?P<n>{_I})", r"\g<a> DROP CONSTRAINT \g<n>"),
        (_TABLE + rf"ADD COLUMN (?P<n>{_I})", r"\g<a> DROP COLUMN \g<n>"),
        (
            _TABLE + rf"ATTACH PARTITION (?P<n>{_Q})",
            lambda f: f"{f['a'].replace(' ONLY', '')} DETACH PARTITION {f['n']}",
        ),
        (
            _TABLE + r"(?:ENABLE|DISABLE)(?: ALWAYS| REPLICA)? (?P<k>TRIGGER|RULE) (?P<n>\S+)",
            r"\g<a> ENABLE \g<k> \g<n>",
        ),
        (_TABLE + "ENABLE ROW", r"\g<a> DISABLE ROW LEVEL SECURITY"),
        (_TABLE + "FORCE ROW", r"\g<a> NO FORCE ROW LEVEL SECURITY"),
        (_TABLE + "REPLICA IDENTITY", r"\g<a> REPLICA IDENTITY DEFAULT"),
        (_TABLE + "CLUSTER ON", r"\g<a> SET WITHOUT CLUSTER"),
        (
            rf"(?P<a>ALTER (?:TABLE|MATERIALIZED VIEW) {_Q}) SET ACCESS METHOD",
            r"\g<a> SET ACCESS METHOD heap",
        ),
        (
            rf"(?P<a>ALTER (?:TABLE|INDEX|MATERIALIZED VIEW) {_Q}) SET TABLESPACE",
            r"\g<a> SET TABLESPACE pg_default",
        ),
        (rf"(?P<a>ALTER INDEX {_Q} ALTER COLUMN \d+) SET STATISTICS", r"\g<a> SET STATISTICS -1"),
        (rf"(?P<a>ALTER SEQUENCE {_Q}) OWNED BY", r"\g<a> OWNED BY NONE"),
        (rf"(?P<a>ALTER STATISTICS {_Q}) SET STATISTICS", r"\g<a> SET STATISTICS -1"),
        (rf"(?P<a>ALTER DOMAIN {_Q})\s+ADD CONSTRAINT (?P<n>{_I})", r"\g<a> DROP CONSTRAINT \g<n>"),
        (rf"(?P<a>ALTER EVENT TRIGGER {_I}) (?:ENABLE|DISABLE)", r"\g<a> ENABLE"),
        (rf"(?P<a>ALTER PUBLICATION {_I}) ADD TABLE (?:ONLY )?(?P<n>{_Q})", r"\g<a> DROP TABLE \g<n>"),
        (
            rf"(?P<a>ALTER PUBLICATION {_I}) ADD TABLES IN SCHEMA (?P<n>{_I})",
            r"\g<a> DROP TABLES IN SCHEMA \g<n>",
        ),
        (
            rf"(?P<a>ALTER TEXT SEARCH CONFIGURATION {_Q})\s+ADD MAPPING FOR (?P<n>{_I})",
            r"\g<a> DROP MAPPING FOR \g<n>",
        ),
        (
            rf"(?P<a>ALTER OPERATOR FAMILY {_Q} USING {_I}) ADD\s+(?P<k>OPERATOR|FUNCTION) (?P<n>\d+)"
            r" (?:\((?P<t>[^)]*)\) )?[^(]*(?P<s>\([^)]*\))?",
            _member,
        ),
        (r"(?P<a>ALTER (?:DATABASE|ROLE) .*?) SET TABLESPACE", r"\g<a> SET TABLESPACE pg_default"),
        (
            rf"(?P<a>ALTER (?:DATABASE|ROLE) {_N}(?: IN DATABASE {_N})?) SET (?P<n>\S+) TO ",
            r"\g<a> RESET \g<n>",
        ),
        (rf"(?P<a>ALTER (?:DATABASE|ROLE) {_N}) CONNECTION LIMIT", r"\g<a> CONNECTION LIMIT -1"),
        (r"(?P<a>ALTER DATABASE \S+) IS_TEMPLATE", r"\g<a> IS_TEMPLATE = false"),
        (r"(?P<a>ALTER DATABASE \S+) ALLOW_CONNECTIONS", r"\g<a> ALLOW_CONNECTIONS true"),
        (rf"(?P<a>ALTER ROLE {_N}) VALID UNTIL", r"\g<a> VALID UNTIL 'infinity'"),
        (rf"(?P<a>ALTER ROLE {_N}) NOINHERIT", r"\g<a> INHERIT"),
        (
            rf"(?P<a>ALTER ROLE {_N}) (?P<n>SUPERUSER|BYPASSRLS|CREATEROLE|CREATEDB|REPLICATION|LOGIN)$",
            r"\g<a> NO\g<n>",
        ),
        (r"(?P<a>COMMENT ON SCHEMA public) IS ''$", r"\g<a> IS 'standard public schema'"),
        (r"(?P<a>ALTER SCHEMA public) OWNER TO ", r"\g<a> OWNER TO pg_database_owner"),
        (r"(?P<a>COMMENT ON .*?) IS '", r"\g<a> IS NULL"),
        (
            rf"(?P<a>ALTER DEFAULT PRIVILEGES .*?) GRANT (?P<p>.*) TO (?P<n>{_N})(?: WITH GRANT OPTION)?$",
            r"\g<a> REVOKE \g<p> FROM \g<n>",
        ),
        (
            rf"(?P<a>ALTER DEFAULT PRIVILEGES .*?) REVOKE (?P<p>.*) FROM (?P<n>{_N})$",
            r"\g<a> GRANT \g<p> TO \g<n>",
        ),
        (r"(?P<a>ALTER (?:FUNCTION|PROCEDURE) .*?\)) (?P<n>DEPENDS ON EXTENSION \S+)$", r"\g<a> NO \g<n>"),
        (rf"GRANT (?P<p>{_SAID}) TO (?P<n>{_N})(?: WITH .*)?$", r"REVOKE \g<p> FROM \g<n>"),
        (rf"REVOKE (?P<p>{_SAID}) FROM (?P<n>{_N})$", r"GRANT \g<p> TO \g<n>"),
        (
            r"-- in a system schema: "
            r"(?P<k>function|procedure|aggregate|view|operator|type) (?!of )(?P<n>.*)$",
            lambda f: f"DROP {f['k'].upper()} {f['n']}",
        ),
    )
]
#: What has something in it that no definition brings back: the beginning of the statement, and what goes.
_LOSES = (
    (re.compile(r"DROP (?:FOREIGN )?TABLE "), "the table and its rows"),
    (re.compile(r"ALTER (?:FOREIGN )?TABLE .* DROP COLUMN "), "the column and what is in it"),
    (re.compile(r"ALTER TYPE .* DROP ATTRIBUTE "), "the attribute and what rows hold in it"),
    (re.compile(r"DROP SEQUENCE "), "the sequence and where it stands"),
    (re.compile(r"DROP SUBSCRIPTION "), "the subscription and where it stands"),
    (re.compile(r"DROP ROLE "), "the role and its password"),
    (re.compile(r"ALTER TABLE .* DETACH PARTITION "), "the partition's rows from its table"),
)


def _names(pairs: str) -> str:
    return ", ".join(one.partition("=")[0].strip() for one in commas(pairs))


def undone(sql: str) -> str:
    """The statement that takes ``sql`` back; empty where none does."""
    grantor = GRANTOR.match(sql)
    bare = sql[grantor.end() :] if grantor else sql
    for pattern, undo in _KINDS:
        if found := pattern.match(bare):
            text = undo(found) if callable(undo) else found.expand(undo)
            return (grantor[0] if grantor else "") + text
    return ""


def loses(sql: str) -> str:
    """Why a person has to decide about this statement; empty for most."""
    return next((f"it would lose {what}" for pattern, what in _LOSES if pattern.match(sql)), "")
