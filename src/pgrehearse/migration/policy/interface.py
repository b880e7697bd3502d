"""What releases of an application rely on in a database, read from its catalog, and what breaks it.

Names, types and rules, not text: a DO block, CASCADE or a rename without the word COLUMN are seen like any
other statement. Things are compared by name, so a table that leaves a view of its old name breaks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pgrehearse import queries
from pgrehearse.measurement.statement.client import Client

__all__ = ["AGREED", "Interface", "Thing", "differences", "read"]

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
#: Differences by which only writers fail that break a rule which somebody wants from now on.
AGREED = ("new", "not null", "default", "rule")


def read(client: Client) -> Interface:
    """The interface of the database of ``client``, changes of its open transaction included."""
    return {
        (kind, owner, name): Thing(identity, facts)
        for kind, identity, owner, name, facts in client.catalog(queries.text("interface"))
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
    if kind == "schema":
        return ""  # what lay in it is named
    if kind == "rule":
        return _rule_gone(owner, name, thing, before, after)
    if kind in ("column", "value") and not _has_owner(key, after):
        return ""  # of a table that is gone, the table is named
    renamed = now.get((kind, thing.identity))
    word = {"relation": "table or view", "value": "value"}.get(kind, kind)
    what = f"{word} {name!r} of {owner}" if kind == "value" else f"{word} {owner}{'.' + name if name else ''}"
    return f"renames {what} to {(renamed[2] or renamed[1])!r}" if renamed else f"drops {what}"


def _rule_gone(owner: str, name: str, thing: Thing, before: Interface, after: Interface) -> str:
    """A rule less breaks nobody, but INSERT ... ON CONFLICT looks for a unique one by its columns."""
    facts = thing.facts
    table = ("relation", owner, "")
    there = table in after and table in before and after[table].identity == before[table].identity
    if facts["kind"] not in ("p", "u") or not there:
        return ""
    if any(("column", owner, column) not in after for column in facts["columns"]):
        return ""  # it went with its column
    others = (other.facts for key, other in after.items() if key[:2] == ("rule", owner))
    if any(one["kind"] in ("p", "u") and one["columns"] == facts["columns"] for one in others):
        return ""
    columns = ", ".join(facts["columns"])
    what = _KINDS[facts["kind"]]
    return f"drops {what} {name} of {owner}: INSERT ... ON CONFLICT ({columns}) fails with 42P10"


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
            who = "put NULL into it" if now.facts["filled"] else "leave it out"
            yield "not null", f"makes {owner}.{name} NOT NULL: writers that {who} fail with 23502"
        elif was.facts["not_null"] and was.facts["filled"] and not now.facts["filled"]:
            yield "default", f"drops the default of {owner}.{name}: writers that leave it out fail with 23502"
    yield from _revoked(kind, owner, was.facts, now.facts)
    if kind == "column":
        yield from _column(owner, name, was.facts, now.facts)
    elif kind == "relation":
        yield from _relation(owner, was.facts, now.facts)
    elif kind == "function" and was.facts["body"] != now.facts["body"]:
        for place in sorted({*was.facts["kept"]} & {*now.facts["kept"]}):
            what = f"changes what function {owner} computes, and {place} keeps what it computed before"
            yield f"kept {place}", f"{what}: queries that look there miss rows"
    # A rule keeps its oid when a name in it changes; of a type that changes it is made anew, with casts.
    made_anew = kind == "rule" and was.facts["kind"] == "c" and was.identity != now.identity
    if (
        made_anew
        and was.facts["definition"] != now.facts["definition"]
        and not _retyped(was, owner, before, after)
    ):
        yield "rule", f"changes CHECK {name} of {owner}: writers that break it fail with 23514"


def _column(owner: str, name: str, was: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if now.get("computed") and not was.get("computed"):
        what = f"makes {owner}.{name} GENERATED ALWAYS"
        yield "computed", f"{what}: writers that give it a value fail with 428C9"
    if now.get("narrow") and not was.get("narrow"):
        yield (
            "sequence",
            f"makes {owner}.{name} a bigint whose sequence stays smaller: writers fail with 2200H at its end",
        )


def _relation(owner: str, was: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if now.get("hidden") and not was.get("hidden"):
        yield "hidden", f"enables row security on {owner}: who does not own it sees only what policies show"
    if now.get("disabled", 0) > was.get("disabled", 0):
        yield "disabled", f"disables triggers of {owner}: what they kept, such as foreign keys, holds no more"
    if now.get("frozen") and not was.get("frozen"):
        what = f"leaves {owner}, which is published, without replica identity"
        yield "frozen", f"{what}: UPDATE and DELETE fail with 55000"

    for parent in sorted({*was.get("parents", ())} - {*now.get("parents", ())}):
        yield "parents", f"takes {owner} out of {parent}: who reads that sees its rows no more"
    for publication in sorted({*was.get("published", ())} - {*now.get("published", ())}):
        what = f"takes {owner} out of publication {publication}"
        yield "published", f"{what}: who subscribes gets no more of its changes, and is not told"
    if was.get("hidden") and now.get("hidden"):
        yield from _policies(owner, was.get("policies") or {}, now.get("policies") or {})


def _policies(owner: str, was: dict[str, str], now: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted(was.keys() | now.keys()):
        before, after = was.get(name, ""), now.get(name, "")
        if before == after or (not before and after.startswith("shows")):
            continue
        what = "changes" if before and after else "drops" if before else "adds"
        if what != "drops" or before.startswith("shows"):
            yield (
                f"policy {name}",
                f"{what} policy {name} of {owner}: who saw or wrote rows by it may do so no more",
            )


def _revoked(kind: str, owner: str, was: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Privileges of others than the owner. What PUBLIC has, each role has."""
    left = {*now.get("granted", ())}
    gone = [one.rsplit(" ", 1) for one in was.get("granted", ()) if one not in left]
    gone = [[role, privilege] for role, privilege in gone if f"PUBLIC {privilege}" not in left]
    for role in sorted({role for role, _ in gone}):
        taken = ", ".join(privilege for other, privilege in gone if other == role)
        what = "" if kind == "relation" else f"{kind} "
        yield f"granted {role}", f"takes {taken} on {what}{owner} from {role}: fails with 42501"


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
    if kind == "column" and thing.facts.get("narrow"):
        return f"adds {owner}.{name}, a bigint whose sequence is smaller: writers fail with 2200H at its end"
    if kind == "column" and thing.facts["not_null"] and not thing.facts["filled"]:
        return f"adds {owner}.{name} NOT NULL without a default: writers that do not know it fail with 23502"
    if kind != "rule":
        return ""
    facts = thing.facts
    only_new = facts["columns"] and any(("column", owner, c) not in before for c in facts["columns"])
    if only_new or (facts["kind"] != "f" and ("rule", owner, facts["index"]) in before):
        return ""  # about a column that no release writes; or the index said it already
    what = facts["kind"]
    return f"adds {_KINDS[what]} {name} to {owner}: writers that break it fail with {_WHO[what]}"
