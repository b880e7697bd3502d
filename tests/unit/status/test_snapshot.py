"""What facts mean, how they are written as JSON, and what the schema refuses."""

from __future__ import annotations

import typing
from typing import Any

import jsonschema
import pytest

from pgrehearse.command.status import exit_status
from pgrehearse.status import as_json
from pgrehearse.status.fact import Known, Level, Unknown, worst
from pgrehearse.status.fact_table import FACTS
from pgrehearse.status.snapshot import Snapshot, facts_of, unseen
from support.samples_of_status import AT, NEVER, VALUES, snapshot
from support.snapshots import place_of


def test_every_fact_has_samples_of_its_type() -> None:
    assert list(VALUES) == list(FACTS)
    for name, rule in FACTS.items():
        assert {type(value) for value in VALUES[name]} == {rule.value}


@pytest.mark.parametrize("name", VALUES)
def test_what_is_well_and_what_needs_a_person(name: str) -> None:
    well, wrong = (Known(value, AT, 0.0) for value in VALUES[name])
    assert (well.level, well.findings) == (Level.WELL, ())
    assert well.said
    if name not in NEVER:
        assert wrong.level == Level.ATTENTION
        assert all(finding.next_step for finding in wrong.findings)


def test_the_worst_counts_and_unknown_is_the_worst() -> None:
    assert worst([]) == Level.UNKNOWN
    assert worst([Level.WELL, Level.ATTENTION]) == Level.ATTENTION
    assert worst([Level.UNKNOWN, Level.ATTENTION, Level.WELL]) == Level.UNKNOWN
    assert exit_status([snapshot(0)]) == 0
    assert exit_status([snapshot(0), snapshot(1)]) == 1
    assert exit_status([snapshot(0, drift=Unknown("not compared")), snapshot(1)]) == 69
    assert exit_status([]) == 69


def test_what_was_read_stays_when_the_rest_is_unknown() -> None:
    read = {"server": snapshot(0).facts["server"]}
    found = unseen(place_of(""), "it is dead", "look", read)
    assert list(found) == list(FACTS)
    assert found["server"] is read["server"]
    assert found["backup"] == Unknown("it is dead", "look")


def test_a_group_is_not_asked_everything() -> None:
    assert set(FACTS) - set(facts_of(place_of("", "shop_1"))) == {"promotion", "drift", "backup"}


def _samples() -> dict[str, Any]:
    gone = unseen(place_of(""), "it is dead", "")
    return as_json.to_json(
        [snapshot(0), snapshot(1), snapshot(0, "shop_1"), Snapshot(place_of(""), AT, 5.0, gone)]
    )


def test_the_json_is_what_the_schema_says() -> None:
    jsonschema.Draft202012Validator.check_schema(as_json.schema())
    value = _samples()
    jsonschema.validate(value, as_json.schema())
    assert value["level"] == "unknown"
    first = value["databases"][0]["facts"]
    assert first["server"]["value"]["version"] == "18.6"
    assert first["last"]["value"]["ran"][0]["started"] == "2026-05-04T12:00:00+00:00"
    assert value["databases"][1]["facts"]["server"]["value"]["lag"] == 600.0
    assert value["databases"][3]["facts"]["drift"] == {
        "level": "unknown",
        "said": "it is dead",
        "next": None,
        "last_seen": None,
    }


@pytest.mark.parametrize(
    "path",
    [
        ("facts", "server", "value", "version"),
        ("facts", "server", "measured_at"),
        ("facts", "last", "value", "ran", 0, "wal_bytes"),
        ("facts", "now", "value", "changes", 0, "pid"),
        ("facts", "migrations"),
        ("level",),
    ],
)
def test_the_schema_refuses_what_lacks_something(path: tuple[Any, ...]) -> None:
    value = _samples()
    inside = value["databases"][0]
    for word in path[:-1]:
        inside = inside[word]
    del inside[path[-1]]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, as_json.schema())


def test_the_schema_refuses_an_empty_fact_and_an_unknown_one_that_is_well() -> None:
    for fact in ({}, {"level": "well", "said": "", "next": None, "last_seen": None}, None):
        value = _samples()
        value["databases"][0]["facts"]["drift"] = fact
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(value, as_json.schema())


def test_a_type_that_nobody_thought_of_is_an_error() -> None:
    with pytest.raises(TypeError, match="say here how"):
        as_json._schema_of(typing.get_type_hints(lambda a: a) or set, {})
