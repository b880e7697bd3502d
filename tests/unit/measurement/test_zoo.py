"""The files of the zoo: what a shape says, what a runbook's parameters become, which faults are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence import zoo as evidence
from pgrehearse.measurement.zoo.fillings import Fillings
from pgrehearse.measurement.zoo.habitat import has_word
from pgrehearse.measurement.zoo.known import KnownFaults
from pgrehearse.measurement.zoo.outcome import FAULTS, PairOutcome
from pgrehearse.measurement.zoo.shapes import Shape, shapes_of
from pgrehearse.text.document import load, parse
from pgrehearse.text.project import Project
from support import ROOT
from support.zoo import SAMPLE, chosen

BASE = """/*
table = "item"
column = "qty"
*/
-- [set up]
CREATE TABLE item (id integer);
-- [traffic]
SELECT 1;
"""
SHAPE = """/*
title = "An odd one"
column = "it's"
[column-drop]
type = "json"
[settings]
search_path = "x"
*/
-- [set up]
ALTER TABLE item ADD x text DEFAULT ';';
SELECT 1;
-- [holds]
SELECT true;
"""
RUNBOOKS = """
[names]
rows = "SELECT FROM {table}"
[column-drop]
values = { table = "{table}", column = "{column}", type = "text" }
done = ["SELECT {column!i}, {column!l} FROM {table} WHERE true"]
before = "{rows}"
after = "{rows}"
announced = { "42703" = ["{column}"] }
[column-add]
values = { table = "{table}", column = "{nowhere}" }
"""


def project(tmp_path: Path, **files: str) -> Project:
    (tmp_path / "zoo").mkdir()
    for name, text in {"base.sql": BASE, "odd.sql": SHAPE, "runbooks.toml": RUNBOOKS, **files}.items():
        (tmp_path / "zoo" / name).write_text(text, encoding="utf-8")
    return Project.at(tmp_path)


def test_a_shape_begins_with_the_base(tmp_path: Path) -> None:
    (shape,) = shapes_of(project(tmp_path))
    assert (shape.name, shape.title) == ("odd", "An odd one")
    assert shape.names == {"table": "item", "column": "it's"}
    assert [len(shape.sections[name]) for name in ("set up", "traffic", "holds", "copy")] == [3, 1, 1, 0]
    assert shape.settings == {"search_path": "x"}
    assert shape.on(15)


def test_a_shape_may_begin_with_nothing(tmp_path: Path) -> None:
    alone = '/*\ntitle = "Alone"\nbase = false\nmajors = [18]\n*/\n-- [set up]\nSELECT 1;\n'
    (alone_, _) = shapes_of(project(tmp_path, **{"alone.sql": alone}))
    assert (alone_.names, alone_.sections["set up"], alone_.sections["traffic"]) == ({}, ("SELECT 1",), ())
    assert not alone_.on(17)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1;\n", "does not begin with a head"),
        ("/*\ncolumn = 3\n*/\n", "no title"),
        ('/*\ntitle = "x"\ncolumn = 3\n*/\n', "column is no text"),
        ('/*\ntitle = "x"\n[column-add]\ntype = 3\n*/\n', "type is no text"),
        ("/*\ntitle = x\n*/\n", "no TOML"),
        ('/*\ntitle = "x"\n*/\nSELECT 1;\n', "before the first section"),
        ('/*\ntitle = "x"\n*/\n-- [traffics]\nSELECT 1;\n', "[traffics] is unknown"),
        ('/*\ntitle = "x"\n*/\n-- [holds]\nSELECT 1;\n-- [holds]\nSELECT 1;\n', "stands twice"),
        ('/*\ntitle = "x"\n*/\n-- [holds]\nSELECT \'x;\n', "in [holds]"),
    ],
)
def test_a_file_that_is_no_shape_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DocumentError) as error:
        shapes_of(project(tmp_path, **{"bad.sql": text}))
    assert said in error.value.message
    assert error.value.path is not None and error.value.path.name == "bad.sql"


def test_names_become_values(tmp_path: Path) -> None:
    made = project(tmp_path)
    (shape,) = shapes_of(made)
    filling = Fillings(made).of("column-drop", shape)
    assert filling is not None
    assert filling.values == {"table": "item", "column": "it's", "type": "json"}
    assert filling.done == ["""SELECT "it's", 'it''s' FROM item WHERE true"""]
    assert filling.before == "SELECT FROM item"
    assert filling.announced == {"42703": ["it's"]}


@pytest.mark.parametrize("sql", ["SELECT qty", "SELECT E'c\\\\d'", "SELECT 'it''s'", 'SELECT "a""b"'])
def test_a_word_is_found_as_it_is_quoted(sql: str) -> None:
    assert has_word(sql, ("qty", "c\\d", "it's", 'a"b'))
    assert not has_word(sql, ("other", ""))


def test_a_word_with_blanks_is_found_in_a_difference() -> None:
    told = 'CREATE TYPE public."col state" AS ENUM'
    assert has_word(told, ('"col  state"',)), "two blanks, told as one"
    assert not has_word(told, ('"colstate"', "state  col"))


def test_a_runbook_without_its_names_is_not_tried(tmp_path: Path) -> None:
    made = project(tmp_path)
    (shape,) = shapes_of(made)
    assert Fillings(made).of("column-add", shape) is None
    assert Fillings(made).of("index-create", shape) is None


def test_a_known_fault_may_be_red_and_must_not_be_green(tmp_path: Path) -> None:
    made = project(tmp_path, **{"open.toml": '[column-drop]\nodd = "why"\n"other 18" = "why"\n'})
    known, red, done = KnownFaults(made), PairOutcome("broken", "a row is gone"), PairOutcome("done")
    assert known.problem("column-drop", "odd", 15, red) == ""
    assert "take it out of zoo/open.toml" in known.problem("column-drop", "odd", 15, done)
    assert known.problem("column-drop", "other", 18, red) == ""
    assert "a row is gone" in known.problem("column-drop", "other", 17, red)
    assert known.problem("column-drop", "other", 17, done) == ""
    assert "a row is gone" in known.problem("column-add", "odd", 18, red)


def test_every_kind_of_fault_is_red() -> None:
    assert all(PairOutcome(kind).red for kind in FAULTS)
    assert not PairOutcome("refused", "stop: x").red


def test_evidence_comes_back_and_tells_what_changed(tmp_path: Path) -> None:
    made = project(tmp_path)
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "column-drop.md").write_text("# Drop\n\n## Apply\n", encoding="utf-8")
    document, shapes = load(tmp_path / "runbooks" / "column-drop.md"), shapes_of(made)

    def outcomes(major: str, outcome: PairOutcome) -> dict[tuple[str, str, str], PairOutcome]:
        return {("column-drop", "odd", major): outcome}

    evidence.save(made, "15.18", [document], shapes, outcomes("15", PairOutcome("done", "", 1.5)))
    file = evidence.save(made, "18.6", [document], shapes, outcomes("18", PairOutcome("done", "", 2.5)))
    assert '"majors":["15","18"]' in "".join(file.read_text("utf-8").split())
    known = evidence.load(made)
    assert known.of("column-drop") == {"odd": {"15": PairOutcome("done"), "18": PairOutcome("done")}}
    assert known.versions == {"15": "15.18", "18": "18.6"}
    assert known.older(document) == {}
    assert evidence.changes(known, outcomes("18", PairOutcome("done", "", 9.0))) == []
    (line,) = evidence.changes(known, outcomes("18", PairOutcome("refused", "stop: no")))
    assert line == "column-drop on odd, PostgreSQL 18: done -> refused: stop: no"
    (line,) = evidence.changes(known, outcomes("17", PairOutcome("done")))
    assert "no evidence" in line


def test_a_text_that_was_tried_on_one_shape_was_not_tried_on_the_others(tmp_path: Path) -> None:
    """A part of the shapes tried again says nothing about the rest, which keep the text they had."""
    made = project(tmp_path)
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "column-drop.md").write_text("# Drop\n\n## Apply\n", encoding="utf-8")
    document = load(folder / "column-drop.md")
    changed = parse(f"{document.text}\n```sql\nSELECT 1;\n```\n", document.path)
    (odd,) = shapes_of(made)
    even = replace(odd, name="even")
    done = {("column-drop", shape.name, "18"): PairOutcome("done") for shape in (odd, even)}
    evidence.save(made, "18.6", [document], [odd, even], done)
    evidence.save(made, "18.6", [changed], [even], {("column-drop", "even", "18"): PairOutcome("done")})
    assert evidence.load(made).older(changed) == {"18": ["odd"]}
    assert evidence.load(made).older(document) == {"18": ["even", "odd"]}
    evidence.save(made, "18.6", [changed], [odd], {("column-drop", "odd", "18"): PairOutcome("done")})
    assert evidence.load(made).older(changed) == {}


def test_evidence_that_was_edited_is_refused(tmp_path: Path) -> None:
    made = project(tmp_path)
    file = evidence.save(made, "18.6", [], [], {("column-drop", "odd", "18"): PairOutcome("broken", "x")})
    file.write_text(file.read_text("utf-8").replace("broken", "done"), encoding="utf-8")
    with pytest.raises(DocumentError):
        evidence.load(made)


class TestOfThisRepository:
    def test_there_are_at_least_forty_shapes(self) -> None:
        assert len(shapes_of(Project.at(ROOT))) >= 40

    def test_every_runbook_is_tried(self) -> None:
        here = Project.at(ROOT)
        fillings = Fillings(here)
        every = shapes_of(here)
        for path in here.runbooks.glob("*.md"):
            tried_on = [shape.name for shape in every if fillings.of(path.stem, shape)]
            assert tried_on, f"{path.stem} is in no table of zoo/runbooks.toml"
            declared = load(path).front.parameters
            for shape in every:
                filling = fillings.of(path.stem, shape)
                assert filling is None or set(filling.values) <= set(declared), (path.stem, shape.name)

    def test_the_sample_is_there(self) -> None:
        names: dict[str, Shape] = {shape.name: shape for shape in shapes_of(Project.at(ROOT))}
        assert set(SAMPLE) <= set(names)

    def test_shards_are_everything_once(self) -> None:
        every = shapes_of(Project.at(ROOT))
        parts = [chosen(every, f"{number}/4") for number in range(1, 5)]
        assert sorted(shape.name for part in parts for shape, _ in part) == [shape.name for shape in every]
        assert len(chosen(every, "all")) == len(every)
        with pytest.raises(ValueError, match="shard"):
            chosen(every, "5/4")
