"""What releases of an application rely on in a database, read from its catalog, and what breaks it.

Names, types and rules, not text: a DO block, CASCADE or a rename without the word COLUMN are seen like any
other statement. Things are compared by name, so a table that leaves a view of its old name breaks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pgrehearse.measurement.statement.client import Client

__all__ = ["Interface", "Thing", "differences", "read"]

_OURS = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgrehearse') AND n.nspname !~ '^pg_(toast|temp)'"
)
_NAME = "CASE n.nspname WHEN 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END || quote_ident({0})"
_RELATIONS = f"""
SELECT 'relation', c.oid::text, {_NAME.format("c.relname")}, '', json_build_object('kind', c.relkind)
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE {_OURS} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
"""
_COLUMNS = f"""
SELECT 'column', c.oid || '.' || a.attnum, {_NAME.format("c.relname")}, a.attname,
       json_build_object('type', format_type(a.atttypid, a.atttypmod), 'not_null', a.attnotnull,
                         'filled', a.atthasdef OR a.attidentity <> '')
  FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE {_OURS} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND NOT c.relispartition
   AND a.attnum > 0 AND NOT a.attisdropped
"""
_TYPES = f"""
SELECT 'type', t.oid::text, {_NAME.format("t.typname")}, '', json_build_object()
  FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
  LEFT JOIN pg_class AS c ON c.oid = t.typrelid
 WHERE {_OURS} AND t.typcategory <> 'A' AND coalesce(c.relkind, 'c') = 'c' AND t.typtype <> 'm'
"""
_VALUES = f"""
SELECT 'value', e.oid::text, {_NAME.format("t.typname")}, e.enumlabel, json_build_object()
  FROM pg_enum AS e JOIN pg_type AS t ON t.oid = e.enumtypid JOIN pg_namespace AS n ON n.oid = t.typnamespace
 WHERE {_OURS}
"""
_FUNCTIONS = f"""
SELECT 'function', p.oid::text,
       {_NAME.format("p.proname")} || '(' || pg_get_function_identity_arguments(p.oid) || ')', '',
       json_build_object('type', pg_get_function_result(p.oid))
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
 WHERE {_OURS} AND p.prorettype <> 'trigger'::regtype
   AND NOT EXISTS (SELECT FROM pg_depend AS d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
"""
#: Rules for rows. ``columns``: those it is about; ``[]`` when an expression hides them.
_CONSTRAINTS = f"""
SELECT 'rule', 'c' || k.oid, {_NAME.format("c.relname")}, k.conname,
       json_build_object('kind', k.contype, 'columns', ARRAY(
           SELECT a.attname FROM pg_attribute AS a
            WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) ORDER BY 1),
           'definition', replace(pg_get_constraintdef(k.oid), ' NOT VALID', ''),
           'index', coalesce((SELECT relname FROM pg_class WHERE oid = k.conindid), ''))
  FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE {_OURS} AND k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0 AND NOT c.relispartition
"""
_UNIQUE = f"""
SELECT 'rule', 'i' || i.indexrelid, {_NAME.format("c.relname")}, x.relname,
       json_build_object('kind', 'u', 'columns', ARRAY(
           SELECT a.attname FROM pg_attribute AS a
            WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[]) ORDER BY 1),
           'definition', pg_get_indexdef(i.indexrelid), 'index', x.relname)
  FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_class AS c ON c.oid = i.indrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE {_OURS} AND i.indisunique AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM pg_constraint AS k
                    WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
"""
_ALL = " UNION ALL ".join((_RELATIONS, _COLUMNS, _TYPES, _VALUES, _FUNCTIONS, _CONSTRAINTS, _UNIQUE))
_KINDS = {"c": "CHECK", "f": "foreign key", "p": "primary key", "u": "unique rule", "x": "exclusion rule"}
_WHO = {"c": "23514", "f": "23503", "p": "23505", "u": "23505", "x": "23P01"}

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Thing:
    """One thing: its oid, which stays when it is renamed, and what is known of it."""

    identity: str
    facts: dict[str, Any]


#: kind, relation or type, column or label -> what it is
Interface = dict[Key, Thing]


def read(client: Client) -> Interface:
    """The interface of the database of ``client``, changes of its open transaction included."""
    return {
        (kind, owner, name): Thing(identity, facts)
        for kind, identity, owner, name, facts in client.rows(_ALL)
    }


def differences(before: Interface, after: Interface) -> dict[tuple[str, Key], str]:
    """What a release that works with ``before`` may fail with in ``after``: a sentence for each."""
    found: dict[tuple[str, Key], str] = {}
    now = {(key[0], thing.identity): key for key, thing in after.items()}
    then = {(key[0], thing.identity) for key, thing in before.items()}
    for key, thing in before.items():
        if key not in after:
            if sentence := _gone(key, thing, before, after, now):
                found["gone", key] = sentence
        else:
            found |= {(what, key): sentence for what, sentence in _changed(key, thing, before, after)}
    for key, thing in after.items():
        table = ("relation", key[1], "")
        renamed = (key[0], thing.identity) in then
        old = key not in before and not renamed and table in before and table in after
        if old and (sentence := _new(key, thing, before)):
            found["new", key] = sentence
    return found


def _gone(
    key: Key, thing: Thing, before: Interface, after: Interface, now: dict[tuple[str, str], Key]
) -> str:
    kind, owner, name = key
    if kind == "rule" or (kind in ("column", "value") and not _has_owner(key, after)):
        return ""  # a rule less breaks nobody; of a table that is gone, the table is named
    renamed = now.get((kind, thing.identity))
    word = {"relation": "table or view", "value": "value"}.get(kind, kind)
    what = f"{word} {name!r} of {owner}" if kind == "value" else f"{word} {owner}{'.' + name if name else ''}"
    return f"renames {what} to {(renamed[2] or renamed[1])!r}" if renamed else f"drops {what}"


def _has_owner(key: Key, after: Interface) -> bool:
    return (("relation" if key[0] == "column" else "type"), key[1], "") in after or (
        "type",
        key[1],
        "",
    ) in after


def _changed(key: Key, was: Thing, before: Interface, after: Interface) -> Iterator[tuple[str, str]]:
    kind, owner, name = key
    now = after[key]
    if was.facts.get("type") != now.facts.get("type"):
        what = f"{kind} {owner}{'.' + name if name else ''}"
        yield "type", f"changes the type of {what} from {was.facts['type']} to {now.facts['type']}"
    if kind == "column" and now.facts["not_null"]:
        if not was.facts["not_null"] and not _proven(owner, name, before):
            yield "not null", f"makes {owner}.{name} NOT NULL: writers that leave it out fail with 23502"
        elif was.facts["not_null"] and was.facts["filled"] and not now.facts["filled"]:
            yield "default", f"drops the default of {owner}.{name}: writers that leave it out fail with 23502"
    # A rule keeps its oid when a name in it changes; of a type that changes it is made anew, with casts.
    made_anew = kind == "rule" and was.facts["kind"] == "c" and was.identity != now.identity
    if (
        made_anew
        and was.facts["definition"] != now.facts["definition"]
        and not _retyped(was, owner, before, after)
    ):
        yield "rule", f"changes CHECK {name} of {owner}: writers that break it fail with 23514"


def _retyped(rule: Thing, owner: str, before: Interface, after: Interface) -> bool:
    keys = [("column", owner, column) for column in rule.facts["columns"]]
    both = [(before[key], after[key]) for key in keys if key in before and key in after]
    return any(was.facts["type"] != now.facts["type"] for was, now in both)


def _proven(owner: str, column: str, before: Interface) -> bool:
    """Whether a CHECK said the same before."""
    said = (f"CHECK (({column} IS NOT NULL))", f'CHECK (("{column}" IS NOT NULL))')
    return any(
        key[:2] == ("rule", owner) and thing.facts["definition"] in said for key, thing in before.items()
    )


def _new(key: Key, thing: Thing, before: Interface) -> str:
    kind, owner, name = key
    if kind == "column" and thing.facts["not_null"] and not thing.facts["filled"]:
        return f"adds {owner}.{name} NOT NULL without a default: writers that do not know it fail with 23502"
    if kind != "rule":
        return ""
    facts = thing.facts
    only_new = facts["columns"] and any(("column", owner, c) not in before for c in facts["columns"])
    if only_new or ("rule", owner, facts["index"]) in before:
        return ""  # about a column that no release writes; or the index said it already
    what = facts["kind"]
    return f"adds {_KINDS[what]} {name} to {owner}: writers that break it fail with {_WHO[what]}"
