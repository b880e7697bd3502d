"""Every runbook has an outcome on each shape of the zoo that its parameters fit, on every supported major."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from pgrehearse.majors import SUPPORTED
from pgrehearse.measurement.evidence import zoo as evidence
from pgrehearse.measurement.zoo.fillings import Fillings
from pgrehearse.measurement.zoo.shapes import shapes_of
from pgrehearse.text.project import Project
from support import ROOT

SHAPE = '/*\ntitle = "{}"\ntable = "item"\n{}\n*/\n-- [set up]\nCREATE TABLE item (id integer);\n'


def untried(project: Project, known: Collection[evidence.Pair]) -> list[str]:
    """The commands that try what is not among the pairs ``known``, one a shape and set of runbooks."""
    fillings, runbooks = Fillings(project), sorted(path.stem for path in project.runbooks.glob("*.md"))
    missing: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for shape in shapes_of(project):
        fitting = [name for name in runbooks if fillings.of(name, shape)]
        for major in filter(shape.on, SUPPORTED):
            if names := tuple(name for name in fitting if (name, shape.name, str(major)) not in known):
                missing.setdefault((shape.name, names), []).append(str(major))
    return [
        f"pgrehearse rehearse --zoo --refresh --pg {','.join(majors)} --shape {shape} {' '.join(names)}"
        for (shape, names), majors in missing.items()
    ]


def test_every_pair_has_an_outcome() -> None:
    """As rehearsals have, of the preview too. Where no server of it is: `tools/debian_programs.py --newest
    postgresql-19` brings one."""
    assert untried(Project.at(ROOT), evidence.load(Project.at(ROOT)).outcomes) == []


def test_what_is_not_there_is_tried_on_nothing() -> None:
    project = Project.at(ROOT)
    found = {pair[:2] for pair in evidence.load(project).outcomes}
    assert {name for name, _ in found} <= {path.stem for path in project.runbooks.glob("*.md")}
    assert {shape for _, shape in found} <= {shape.name for shape in shapes_of(project)}


def test_the_commands_name_what_was_not_tried(tmp_path: Path) -> None:
    for name in ("zoo", "runbooks"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.pgrehearse]\n", "utf-8")
    for name in ("column-add", "column-drop", "index-create"):
        (tmp_path / "runbooks" / f"{name}.md").write_text("# It\n", "utf-8")
    fillings = (
        '[column-add]\nvalues = { table = "{table}" }\n[column-drop]\nvalues = { column = "{column}" }\n'
    )
    (tmp_path / "zoo" / "runbooks.toml").write_text(fillings, "utf-8")
    (tmp_path / "zoo" / "plain.sql").write_text(SHAPE.format("Plain", 'column = "a"'), "utf-8")
    (tmp_path / "zoo" / "virtual.sql").write_text(SHAPE.format("New", "majors = [18, 19]"), "utf-8")
    project = Project.at(tmp_path)
    known = {("column-add", "plain", str(major)) for major in SUPPORTED}
    known |= {("column-drop", "plain", str(major)) for major in SUPPORTED if major not in (15, 19)}
    known |= {("column-add", "virtual", "18")}
    command = "pgrehearse rehearse --zoo --refresh --pg"
    assert untried(project, known) == [
        f"{command} 15,19 --shape plain column-drop",
        f"{command} 19 --shape virtual column-add",
    ]
    every = {("column-drop", "plain", "15"), ("column-drop", "plain", "19"), ("column-add", "virtual", "19")}
    assert untried(project, known | every) == []


def test_no_words_of_a_refusal_say_where_a_machine_has_the_project() -> None:
    """Elsewhere the same refusal would be another one."""
    placed = re.compile(r"/\S*runbooks/")
    assert placed.search("Preflight 3/9: The new index, /home/me/project/runbooks/index-replace.md")
    outcomes = evidence.load(Project.at(ROOT)).outcomes
    assert [pair for pair, one in outcomes.items() if placed.search(one.words)] == []
