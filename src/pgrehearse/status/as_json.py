"""Snapshots for programs, and the JSON schema of that: both from the types of the values, in one place."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from pgrehearse import clock
from pgrehearse.status.fact import Fact, Known, Level, worst
from pgrehearse.status.fact_table import FACTS
from pgrehearse.status.snapshot import Snapshot

__all__ = ["schema", "to_json"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def to_json(snapshots: Sequence[Snapshot]) -> dict[str, Any]:
    """All that is known of ``snapshots``; times in ISO 8601, spans in seconds."""
    return {
        "taken_at": clock.now().isoformat(),
        "level": worst(one.level for one in snapshots),
        "databases": [
            {
                "environment": one.place.environment.name,
                "database": one.place.name or None,
                "level": one.level,
                "taken_at": one.taken_at.isoformat(),
                "seconds": round(one.took, 4),
                "facts": {name: _fact(fact) for name, fact in one.facts.items()},
            }
            for one in snapshots
        ],
    }


def _fact(fact: Fact) -> dict[str, Any]:
    shared = {"level": fact.level, "said": fact.said}
    if isinstance(fact, Known):
        return {
            **shared,
            "measured_at": fact.measured_at.isoformat(),
            "seconds": round(fact.took, 4),
            "findings": [{"message": one.said, "next": one.next_step or None} for one in fact.findings],
            "value": _plain(fact.value),
        }
    last = fact.last_seen
    return {**shared, "next": fact.next_step or None, "last_seen": last and last.isoformat()}


def _plain(value: object) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case list() | tuple():
            return [_plain(one) for one in value]
        case _ if is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value


def schema() -> dict[str, Any]:
    """The JSON schema of `to_json`."""
    levels = {"enum": list(Level)}
    time = {"type": "string", "format": "date-time"}
    text = {"type": "string"}
    known = {
        "level": {"enum": [Level.WELL, Level.ATTENTION]},
        "said": text,
        "measured_at": time,
        "seconds": {"type": "number"},
        "findings": {"type": "array", "items": _object({"message": text, "next": _or_null(text)})},
        "value": {"type": "object"},
    }
    unknown = {
        "level": {"const": Level.UNKNOWN},
        "said": text,
        "next": _or_null(text),
        "last_seen": _or_null(time),
    }
    values: dict[str, Any] = {}
    facts = {
        name: {
            "description": f"{rule.says[0].upper()}{rule.says[1:]}.",
            "oneOf": [
                {"$ref": "#/$defs/known", "properties": {"value": _schema_of(rule.value, values)}},
                {"$ref": "#/$defs/unknown"},
            ],
        }
        for name, rule in FACTS.items()
    }
    database = {
        "environment": text,
        "database": {**_or_null(text), "description": "As its group calls it; null: the environment's own."},
        "level": levels,
        "taken_at": time,
        "seconds": {"type": "number"},
        "facts": {
            **_object(facts),
            "required": [name for name, rule in FACTS.items() if rule.everywhere],
            "additionalProperties": False,
        },
    }
    return {
        "$schema": _DIALECT,
        "title": "pgrehearse status --json",
        **_object(
            {"taken_at": time, "level": levels, "databases": {"type": "array", "items": _object(database)}}
        ),
        "$defs": {"known": _object(known), "unknown": _object(unknown), **values},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _or_null(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": [of["type"], "null"], **{key: value for key, value in of.items() if key != "type"}}


_PLAIN: dict[object, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    timedelta: {"type": "number", "description": "Seconds."},
}


def _schema_of(kind: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type that `_plain` takes; that of a class is put into ``values``, once."""
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in values:
            values[kind.__name__] = {}  # its place, before that of its parts
            hints = typing.get_type_hints(kind)
            of = {field.name: _schema_of(hints[field.name], values) for field in fields(kind)}
            values[kind.__name__] = _object(of)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    parts = typing.get_args(kind)
    if typing.get_origin(kind) is types.UnionType and len(parts) == 2 and parts[1] is types.NoneType:
        return _or_null(_schema_of(parts[0], values))
    if typing.get_origin(kind) is tuple:
        if parts[1:] == (...,):
            return {"type": "array", "items": _schema_of(parts[0], values)}
        return {"type": "array", "prefixItems": [_schema_of(part, values) for part in parts], "items": False}
    raise TypeError(f"say here how {kind} is written as JSON")
