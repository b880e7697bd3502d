"""What no lock tells of a statement: catalog rows written by hand, what runs elsewhere, what was skipped.

A measurement sees locks and files of relations. Some statements do what neither shows, or find here what they
would have to make on another server. They are told by their words; a name that somebody quotes is a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.text.bodies import inline
from pgrehearse.text.statement import classify, code

__all__ = ["found_nothing", "of_body", "told", "unwatched"]

#: Catalogs of PostgreSQL 15 to 19. Applications have tables of their own that begin with pg_.
_OURS = (
    *("aggregate", "am", "amop", "amproc", "attrdef", "attribute", "auth_members", "authid", "cast", "class"),
    *("collation", "constraint", "conversion", "database", "db_role_setting", "default_acl", "depend"),
    *("description", "enum", "event_trigger", "extension", "foreign_data_wrapper", "foreign_server"),
    *("foreign_table", "index", "inherits", "init_privs", "language", "largeobject", "largeobject_metadata"),
    *("namespace", "opclass", "operator", "opfamily", "parameter_acl", "partitioned_table", "policy", "proc"),
    *("publication", "publication_namespace", "publication_rel", "range", "replication_origin", "rewrite"),
    *("seclabel", "sequence", "shdepend", "shdescription", "shseclabel", "statistic", "statistic_ext"),
    *("statistic_ext_data", "subscription", "subscription_rel", "tablespace", "transform", "trigger"),
    *("ts_config", "ts_config_map", "ts_dict", "ts_parser", "ts_template", "type", "user_mapping"),
)
_CATALOG = re.compile(
    r"\b(?:update|insert\s+into|delete\s+from|merge\s+into)\s+(?:only\s+)?(?:pg_catalog\s*\.\s*)?"
    rf"(pg_(?:{'|'.join(_OURS)}))(?![\w$.])",
    re.I,
)
_ELSEWHERE = re.compile(r"(?<![\w$])dblink(?:_exec|_open|_send_query)?\s*\(", re.I)
#: What names a function without calling it.
_NAMES = ("alter", "comment", "drop", "grant", "revoke")
_EXTENSION = re.compile(r"\balter\s+extension\s+\S+\s+update\b", re.I)
_FILE = re.compile(r"\bcopy\s+[^;']*?\sfrom\s+e?'", re.I)
_STRING = re.compile(r"'(?:[^']|'')*'")
_SIMPLE = re.compile(r'"([a-z_][a-z0-9_$]*)"')
#: One clause, to its comma: the column's name, and what is said of it.
_ADDED = re.compile(
    r'\badd\s+(?:column\s+)?if\s+not\s+exists\s+("(?:[^"]|"")+"|[\w$]+)'
    r"((?:'(?:[^']|'')*'|[^',;()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*)",
    re.I,
)
_CONSTANT = re.compile(r"\bdefault\s+(?:e?'(?:[^']|'')*'|[-+]?[\d.]+|true|false|null)(?![\w(])", re.I)
_COSTS = re.compile(
    r"\b(?:default|generated|\w*serial\d?|unique|primary|references|check|constraint)\b", re.I
)
_TABLE = re.compile(
    r"\bcreate\s+(?:unlogged\s+)?table\s+if\s+not\s+exists\b[^;]*\b(?:references|partition\s+of|inherits)\b",
    re.I,
)
_COLUMN_IS_THERE, _RELATION_IS_THERE = "42701", "42P07"


def found_nothing(sql: str, facts: Facts) -> tuple[str, ...]:
    """What is not known of an ALTER ... IF EXISTS by which nothing was locked."""
    words = classify(sql).words
    if words[:1] != ("alter",) or "if exists" not in " ".join(words[:5]) or facts.locks:
        return ()
    return (f"its {' '.join(words[: words.index('if')]).upper()} found nothing here",)


def told(sql: str) -> bool:
    """Whether `unwatched` may say something of ``sql``."""
    lowered = sql.lower()
    words = ("pg_", "dblink", "extension", "exists", "copy")
    return any(word in lowered for word in words) and (
        "not exists" in re.sub(r"\s+", " ", lowered) or any(unwatched(sql, ()))
    )


def unwatched(sql: str, skipped: Sequence[tuple[str, str]]) -> Iterator[str]:
    """What was not seen of the statement ``sql``.

    Args:
        skipped: SQLSTATE and text of what the server said of it.
    """
    kind = classify(sql)
    text = inline(sql)[1] if kind.verb == "do" else code(_SIMPLE.sub(r"\1", sql))
    makes = kind.verb == "create" and not {"table", "materialized"} & {*kind.words[1:4]}
    if not makes:  # what a function holds counts where it is called
        yield from of_body(text, calls=kind.verb not in _NAMES)
    for state, said in skipped:
        if state == _RELATION_IS_THERE and _TABLE.search(text):
            yield "its CREATE TABLE IF NOT EXISTS found the table here"
        elif state == _COLUMN_IS_THERE:
            for found in _ADDED.finditer(sql):
                name = found[1].strip('"').replace('""', '"')
                costs = _COSTS.search(_CONSTANT.sub("", found[2])) is not None
                if costs and name.lower() in said.lower():
                    yield f"its ADD COLUMN IF NOT EXISTS found {name} here"


def of_body(body: str, *, calls: bool = True) -> Iterator[str]:
    """The same of ``body``, statements or a function's text; ``calls``: whether it calls what it names."""
    text = _SIMPLE.sub(r"\1", body)
    if found := _CATALOG.search(text):
        yield f"it writes rows of {found[1].lower()} by hand, where PostgreSQL locks and checks nothing"
    if calls and _ELSEWHERE.search(_STRING.sub("''", text)):
        yield "what it sends by dblink runs in another session"
    if _EXTENSION.search(text):
        yield "which scripts of the extension run depends on the version that is there"
    if _FILE.search(text):
        yield "what the file holds is known to the server that has it"
