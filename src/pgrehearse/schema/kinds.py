"""What a statement of a dump is about: the object it belongs to, and what it says of it."""

from __future__ import annotations

import re

__all__ = ["IDENTIFIER", "NAME", "described"]

IDENTIFIER = _ID = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
NAME = _Q = rf"{_ID}(?:\.{_ID})*"
_ALTER = rf"ALTER (?:FOREIGN )?TABLE (?:ONLY )?(?P<o>{_Q})\s+"

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
            _ALTER + rf"ADD CONSTRAINT (?P<n>{_ID})",
            "table {o}",
            "constraint {n}",
        ),
        (
            _ALTER + rf"ADD COLUMN (?P<n>{_ID})",
            "table {o}",
            "column {n}",
        ),
        (
            _ALTER + rf"ALTER (?:COLUMN )?(?P<n>{_ID}) (?P<v>\w+ \w+)",
            "table {o}",
            "column {n}: {v}",
        ),
        (
            _ALTER + rf"ATTACH PARTITION (?P<n>{_Q})",
            "table {o}",
            "partition {n}",
        ),
        (
            rf"ALTER (?:FOREIGN )?(?P<k>TABLE|VIEW|MATERIALIZED VIEW|SEQUENCE) (?:ONLY )?(?P<o>{_Q})"
            r" OWNER TO",
            "{k} {o}",
            "owner",
        ),
        (
            _ALTER + rf"(?:ENABLE|DISABLE)(?: ALWAYS| REPLICA)? (?P<k>TRIGGER|RULE) (?P<n>{_ID})",
            "table {o}",
            "firing of {k} {n}",
        ),
        (
            _ALTER + r"(?P<v>REPLICA IDENTITY|CLUSTER ON|ENABLE ROW|FORCE ROW|SET \w+ \w+|SET \w+)",
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


#: What is named with its arguments.
_CALLED = ("AGGREGATE", "FUNCTION", "PROCEDURE")
#: The same by the first word of a statement; patterns begin with one or two of these.
_BY_WORD = {
    word: [kind for kind in _KINDS if word in kind[0].pattern[: len("(?:GRANT|REVOKE)")]]
    for word in ("ALTER", "COMMENT", "CREATE", "GRANT", "REVOKE")
}


def described(sql: str, type_: str, schema: str, name: str) -> tuple[str, str]:
    """Object and subject of a statement, which the entry of the dump helps to find."""
    for pattern, owner, subject in _BY_WORD.get(sql.partition(" ")[0], ()):
        if found := pattern.match(sql):
            words = {key: value or "" for key, value in found.groupdict().items()}
            words = {key: value.lower() if key in "kv" else value for key, value in words.items()}
            return _plain(owner.format(**words)), subject.format(**words)
    made = re.match(rf"CREATE (?:[A-Z]+ )*?{type_} (?:IF NOT EXISTS )?(?P<o>{_Q})(?=[\s(;]|$)", sql)
    if made:  # the entry's own name is written without quotes
        arguments = name[name.find("(") :] if type_ in _CALLED and "(" in name else ""
        return f"{type_.lower()} {made['o']}{arguments}", type_.lower()
    qualified = name if schema in ("-", "") else f"{schema}.{name}"
    return f"{type_.lower()} {qualified}".strip(), type_.lower()


def _plain(name: str) -> str:
    """``TABLE x`` and ``FUNCTION f()`` with their kind in lower case."""
    words = re.match(r"[A-Z ]+(?= )", name)
    return words[0].lower() + name[words.end() :] if words else name
