"""One rule for the names that parameters give: what is typed is meant, and quotes as in SQL may stand.

A parameter of a runbook says in its front matter of which kind its values are. `written` turns what somebody
typed into what the cells expect: a relation or a type as SQL writes it, a name alone as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from string import ascii_lowercase, ascii_uppercase

from pgrehearse.text.keywords import QUOTED

__all__ = [
    "LONGEST",
    "OWN_TYPE",
    "SUFFIX",
    "NameKind",
    "UnreadableName",
    "names_of",
    "path_of",
    "read_by_sql",
    "typed",
    "written",
]

#: Bytes of a name in PostgreSQL; it cuts a longer one, so that another name is meant.
LONGEST = 63
#: No path of two names and no type is longer; what tells types apart is slow on long texts.
_MOST = 500
_BLANKS = " \t\n"
_QUOTED = r'"(?:[^"]|"")*"'
_IN_QUOTES = re.compile(_QUOTED)
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
#: What the server reads as a name without quotes.
_WORD = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*")
_PART = rf"{_QUOTED}|{_WORD.pattern}"
_PATH = re.compile(rf"(?:(?P<schema>{_PART})\.)?(?P<name>{_PART})")
#: What PostgreSQL makes lower where a name has no quotes.
_FOLDED = str.maketrans(ascii_uppercase, ascii_lowercase)


def _spaced(pattern: str) -> str:
    """``pattern`` with each blank as some, and each ~ as some or none."""
    return pattern.replace(" ", r"[ \t\n]+").replace("~", r"[ \t\n]*")


#: What may follow the name of a type: a modifier, and dimensions of an array.
SUFFIX = _spaced(r"(?:~\((?:[a-z0-9_,.+-]| )*\))?(?:~\[~\d*~\])*")
_FIELD = r"(?:year|month|day|hour|minute|second(?:~\(~\d+~\))?)"
#: The types of PostgreSQL itself, which are words of SQL: they may be written small or in capitals.
OWN_TYPE = _spaced(
    r"(?:(?:bit|char|character|nchar|national (?:char|character)) varying|national (?:char|character)"
    rf"|double precision|interval {_FIELD}(?: to {_FIELD})?"
    r"|(?:time|timestamp)(?:~\(~\d+~\))? with(?:out)? time zone"
    r"|bigint|bit|bool|boolean|box|bpchar|bytea|char|character|cidr|circle|date|date(?:multi)?range"
    r"|dec|decimal|float|float[48]|inet|int|int[248]|integer|interval|int[48](?:multi)?range"
    r"|json|jsonb|jsonpath|line|lseg|macaddr|macaddr8|money|name|nchar|num(?:multi)?range|numeric|oid|path|pg_lsn"
    r"|point|polygon|real|refcursor|reg(?:class|collation|config|dictionary|namespace|oper|operator|proc|procedure"
    r"|role|type)|smallint|text|tid|time|timestamp|timestamptz|timetz|tsquery|ts(?:tz)?(?:multi)?range|tsvector"
    r"|txid_snapshot|uuid|varbit|varchar|xid|xid8|xml)"
    r"(?:~\((?:[\d,+-]| )*\))?(?:(?:~\[~\d*~\])*| array(?:~\[~\d+~\])?)"
)
_OWN_TYPE = re.compile(OWN_TYPE, re.I)
_SUFFIX = re.compile(rf"{SUFFIX}\Z", re.I)


class NameKind(Enum):
    """What the values of a parameter are."""

    RELATION = "relation"
    TYPE = "type"
    NAME = "name"
    NAMES = "names"
    NAMES_OR_SQL = "names_or_sql"
    SQL = "sql"
    TEXT = "text"


class UnreadableName(ValueError):
    """A value that does not say which name is meant. ``fix``: how to write it."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def written(kind: NameKind, value: str) -> str:
    """``value`` as the cells expect it; an empty one stays empty. Raises UnreadableName.

    Of a relation and a type that is their name in SQL, in quotes where it needs them; of a name the name
    itself; of names those, with a comma and a blank between them. Texts and SQL stay as they are.
    """
    if not value or kind in (NameKind.SQL, NameKind.TEXT):
        return value
    if kind is NameKind.RELATION:
        return _in_sql(_parts(value))
    if kind is NameKind.TYPE:
        return _type(value)
    if kind is NameKind.NAME:
        return _name(value)
    return _names(value) if kind is NameKind.NAMES else _names_or_sql(value)


def path_of(kind: NameKind, value: str) -> list[str]:
    """The schema, if any, and the name of a relation or type. Raises UnreadableName."""
    return _parts(_named_type(value)[0] if kind is NameKind.TYPE else value)


def read_by_sql(value: str) -> list[tuple[str, str]] | None:
    """The schema, if any, and the name that SQL reads in ``value``; None where it reads no name.

    Of each part what is typed, and what is meant by it: without quotes ASCII letters are made small.
    """
    found = _PATH.fullmatch(value[: _MOST + 1])
    if found is None:
        return None
    parts = [part for part in found.group("schema", "name") if part]
    try:
        return [(_bare(one), _bare(one if one[0] == '"' else one.translate(_FOLDED))) for one in parts]
    except UnreadableName:
        return None


def names_of(kind: NameKind, value: str) -> list[str] | None:
    """The names that ``value``, as `written` made it, gives; None where it is more than that, or no name."""
    if kind is NameKind.NAME:
        return [value]
    if kind is NameKind.NAMES:
        return value.split(", ")
    if kind is not NameKind.NAMES_OR_SQL or not value:
        return None
    found = _listed(value)
    return [_bare(one) for one in found] if all(map(_alone, found)) else None


def _parts(value: str) -> list[str]:
    """The schema, if any, and the name that ``value`` gives. Raises UnreadableName."""
    wrong = UnreadableName(
        f"{value} is no name with or without a schema",
        'write quotes around a whole part, and a quote in it twice: app."a ""b"" c"',
    )
    found: list[str] = []
    rest = value[: _MOST + 1]
    while True:
        # Blanks around quotes and beside a dot are of no name; at the ends of what is bare they are typed.
        quoted = _IN_QUOTES.match(rest.lstrip(_BLANKS))
        if quoted is not None:
            part, rest = quoted[0], rest.lstrip(_BLANKS)[quoted.end() :].lstrip(_BLANKS)
        else:
            end = rest.find(".") if "." in rest else len(rest)
            part, rest = rest[:end], rest[end:]
            part = part.lstrip(_BLANKS) if found else part
            part = part.rstrip(_BLANKS) if rest else part
        if not part or (quoted is None and part.lstrip(_BLANKS).startswith('"')) or (rest and rest[0] != "."):
            raise wrong
        found.append(_bare(part))
        if not rest:
            break
        rest = rest[1:]
    if len(found) > 2:
        raise UnreadableName(
            f"{value} has more than one dot outside of quotes",
            'put a name that holds a dot into quotes, as SQL does: app."a.b"',
        )
    return found


def _in_sql(names: Sequence[str]) -> str:
    """The names of a path as SQL writes it."""
    return ".".join(map(_identifier, names))


def typed(name: str) -> str:
    """``name`` as a parameter takes it, alone or in a list: in quotes only where it needs them."""
    plain = not re.search(r'[",.]', name) and name == name.strip(_BLANKS)
    return name if plain else _in_quotes(name)


def _name(value: str) -> str:
    bare = value.strip(_BLANKS)
    if bare.startswith('"'):
        if _IN_QUOTES.fullmatch(bare) is None:
            raise UnreadableName(
                f"{value} is not one name",
                'write quotes around all of it, and a quote in it twice: "a ""b"""',
            )
        return _bare(bare)
    if "." in value:
        raise UnreadableName(
            f"{value} has a dot, and a name that stands alone has no schema",
            f"leave the schema out, or write {_in_quotes(value)} if the dot is part of the name",
        )
    return _bare(value)


def _names(value: str) -> str:
    found = [_name(one) for one in _listed(value)]
    for name in found:
        if "," in name or name != name.strip(_BLANKS):
            raise UnreadableName(
                f"a list of names cannot hold {_in_quotes(name)}, which has a comma or ends with a blank",
                "write the change as a migration, or rename the column first",
            )
    return ", ".join(found)


def _names_or_sql(value: str) -> str:
    """Names as SQL writes them, and so is the rest: what is more than names stays as it is."""
    try:
        found = _listed(value)
    except UnreadableName:
        return value
    return ", ".join(_identifier(_bare(one)) for one in found) if all(map(_alone, found)) else value


def _alone(part: str) -> bool:
    """Whether ``part`` of a list is just a name to SQL."""
    return bool(_WORD.fullmatch(part) or _IN_QUOTES.fullmatch(part))


def _listed(value: str) -> list[str]:
    """The parts of a list without the blanks around them, each with its quotes. Raises UnreadableName."""
    found: list[str] = []
    rest = value
    while True:
        rest = rest.lstrip(_BLANKS)
        quoted = _IN_QUOTES.match(rest)
        end = quoted.end() if quoted else rest.find(",") if "," in rest else len(rest)
        part, rest = rest[:end].strip(_BLANKS), rest[end:].lstrip(_BLANKS)
        if not part:
            raise UnreadableName(
                f"{value} names nothing beside a comma", "write a name, or take the comma out"
            )
        if (quoted is None and part.startswith('"')) or (rest and rest[0] != ","):
            raise UnreadableName(
                f"{value} is no list of names", "write quotes around a whole name, and a quote in it twice"
            )
        found.append(part)
        if not rest:
            return found
        rest = rest[1:]


def _type(value: str) -> str:
    own = value.strip(_BLANKS)
    if len(own) < _MOST and _OWN_TYPE.fullmatch(own):
        words = re.findall(r"[A-Za-z]+", own)
        if all(word in (word.lower(), word.upper()) for word in words):
            return own
    name, suffix = _named_type(value)
    return _in_sql(_parts(name)) + suffix


def _named_type(value: str) -> tuple[str, str]:
    """The name of a type, and what follows it. Raises UnreadableName."""
    value = value[: _MOST + 1]
    suffix = _SUFFIX.search(value)
    assert suffix is not None  # it may be empty
    name = value[: suffix.start()]
    if re.search(r"[()\[\]]", _IN_QUOTES.sub("", name)):
        raise UnreadableName(
            f"{value} is no type",
            'write numeric(10, 2), app.mood[], or quotes around a name with brackets: "mood (old)"',
        )
    return name, suffix[0]


def _bare(part: str) -> str:
    """A part of a name without its quotes. Raises UnreadableName for one that PostgreSQL cannot hold."""
    name = part[1:-1].replace('""', '"') if part.startswith('"') else part
    if not name:
        raise UnreadableName("a name is empty", "write one between the quotes")
    if len(name.encode()) > LONGEST:
        raise UnreadableName(
            f"{name} has more than {LONGEST} bytes: PostgreSQL would cut it",
            "give the name that the server has",
        )
    return name


def _identifier(name: str) -> str:
    """As quote_ident writes it."""
    return name if _PLAIN.fullmatch(name) and name not in QUOTED else _in_quotes(name)


def _in_quotes(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
