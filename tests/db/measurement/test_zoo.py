"""The zoo judges: a good runbook is done or refused; with one flaw planted the pair is red and says which."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pgrehearse.errors import DocumentError, PgRehearseError
from pgrehearse.main import cli
from pgrehearse.measurement.zoo import pairs
from pgrehearse.measurement.zoo.fillings import Fillings
from pgrehearse.measurement.zoo.habitat import Habitat, Zoo
from pgrehearse.measurement.zoo.outcome import PairOutcome
from pgrehearse.measurement.zoo.shapes import shapes_of
from pgrehearse.servers import Servers
from pgrehearse.text.document import load
from pgrehearse.text.project import Project
from support.majors import TEST_MAJOR
from support.projects import HEAD, fence, project_at, write

SHAPE = """/*
title = "Small"
table = "item"
*/
-- [set up]
CREATE TABLE item (id integer PRIMARY KEY, qty integer, note text);
INSERT INTO item SELECT number, number % 5 FROM generate_series(1, 50) AS number;

-- [traffic]
INSERT INTO item VALUES (100 + :n, 1);
UPDATE item SET qty = qty + 1 WHERE id = :n + 1;
SELECT id, qty FROM item WHERE id < 5 ORDER BY id;

-- [holds]
SELECT count(*) >= 50 FROM item;
"""
RUNBOOKS = """
[tiny]
values = { table = "{table}" }
done = ["SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = {table!l}::regclass AND attname = 'added'"]
before = "SELECT id, qty FROM {table}"
after = "SELECT id, qty FROM {table}"
leaves = ["added", "{table}"]
"""
FRONT = HEAD.removesuffix("---\n") + "parameters:\n  table: {description: x, example: item}\n---\n"
ADD = "ALTER TABLE item ADD COLUMN IF NOT EXISTS added integer;"
DROP = "ALTER TABLE item DROP COLUMN IF EXISTS added;"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project_at(tmp_path_factory.mktemp("zoo"), {"zoo/small.sql": SHAPE, "zoo/runbooks.toml": RUNBOOKS})


@pytest.fixture(scope="module")
def habitat(project: Project) -> Iterator[Habitat]:
    (shape,) = shapes_of(project)
    with Servers() as servers, Zoo(servers.get(TEST_MAJOR)) as zoo, zoo.habitat(shape) as made:
        yield made


def text(apply: str, back: str = DROP, *, preflight: str = "ok") -> str:
    """A runbook; its phases are statements of SQL."""
    check = " preflight\n-----------\n ok\n(1 row)\n"
    cells = {
        "Preflight": fence(f"SELECT '{preflight}' AS preflight;", "", check),
        "Apply": fence(apply),
        "Verify": fence("SELECT :'table' AS checked;"),
        "Roll back": fence(back),
    }
    return FRONT + "\n# Tiny\n\n" + "\n".join(f"## {phase}\n\n{cell}" for phase, cell in cells.items())


def outcome(habitat: Habitat, project: Project, runbook: str) -> PairOutcome:
    document = load(write(project.root, "runbooks/tiny.md", runbook))
    filling = Fillings(project).of("tiny", habitat.shape)
    assert filling is not None
    return pairs.tried(habitat, document, filling)


def test_a_good_runbook_is_done(habitat: Habitat, project: Project) -> None:
    found = outcome(habitat, project, text(ADD))
    assert (found.kind, found.words) == ("done", "")


def test_one_that_refuses_keeps_its_words(habitat: Habitat, project: Project) -> None:
    found = outcome(habitat, project, text(ADD, preflight="stop: not this table, use another"))
    assert (found.kind, found.words) == ("refused", "stop: not this table, use another")


@pytest.mark.parametrize(
    ("runbook", "kind", "said"),
    [
        (text(f"{ADD} UPDATE item SET qty = 9 WHERE id = 30;"), "broken", "2 values differ"),
        (text(f"{ADD} DELETE FROM item WHERE id = 30;"), "broken", "1 values differ"),
        (text("SELECT 1;"), "broken", "it is not done"),
        (text(f"{ADD} REVOKE INSERT ON item FROM zoo_application;"), "broken", "42501"),
        (text(f"{ADD} UPDATE item SET qty = 70 WHERE id = 3;"), "broken", "a request answered [(1, 2)]"),
        (text("ALTER TABLE item ADD COLUMN added integer;"), "broken", "a second run: Apply"),
        (text(f"ALTER TABLE item RENAME TO gone; ALTER TABLE gone RENAME TO item; {ADD}"), "broken", "42P01"),
        (text(f"{ADD} UPDATE item SET note = concat(note, 'x');"), "broken", "a second run changes"),
        (text(ADD, "SELECT 1;"), "undone wrongly", "added integer"),
        (text(ADD, f"{DROP} ALTER TABLE item DROP CONSTRAINT item_pkey;"), "undone wrongly", "item_pkey"),
        (text(ADD, f"{DROP} DELETE FROM item WHERE id > 100;"), "undone wrongly", "rows less, 0 rows more"),
        (text(ADD, "SELECT 1 / 0;"), "refused late", "Roll back"),
        (text(f"{ADD} SELECT 1 / 0;"), "refused late", "22012"),
        (text(ADD, f"{DROP} ALTER TABLE item DROP note;", preflight="stop: no"), "traces", "note text"),
    ],
)
def test_a_flaw_is_red(habitat: Habitat, project: Project, runbook: str, kind: str, said: str) -> None:
    found = outcome(habitat, project, runbook)
    assert (found.kind, said in found.words) == (kind, True), found
    assert found.red


@pytest.fixture(scope="module")
def published(habitat: Habitat, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Habitat]:
    """The same shape with a subscriber."""
    text = SHAPE.replace('title = "Small"', 'title = "Published"\nsubscriber = true').replace(
        "\n-- [traffic]", "RESET ROLE;\nCREATE PUBLICATION zoo_publication FOR TABLE item;\n\n-- [traffic]"
    )
    (shape,) = shapes_of(project_at(tmp_path_factory.mktemp("published"), {"zoo/small.sql": text}))
    with habitat.zoo.habitat(shape) as made:
        yield made


@pytest.mark.parametrize(
    ("back", "kind"), [("SELECT 1;", "done"), ("DELETE FROM item WHERE id = 40;", "undone wrongly")]
)
def test_what_cannot_be_undone_loses_no_row(habitat: Habitat, project: Project, back: str, kind: str) -> None:
    undo = "undo: a column stays\nparameters:"
    assert outcome(habitat, project, text(ADD, back).replace("parameters:", undo)).kind == kind


def test_a_subscriber_that_follows_is_no_flaw(published: Habitat, project: Project) -> None:
    index = "CREATE INDEX IF NOT EXISTS item_note ON item (note);"
    found = outcome(published, project, text(index, "DROP INDEX IF EXISTS item_note;"))
    assert (found.kind, found.words.startswith("Verify said ok, and it is not done")) == ("broken", True), (
        found
    )


def test_a_subscriber_that_stops_is_seen(published: Habitat, project: Project) -> None:
    found = outcome(published, project, text(ADD))
    assert (found.kind, found.words) == ("broken", "a subscriber gets no more rows")


def test_a_run_that_waits_without_end_is_ended(
    habitat: Habitat, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "PATIENCE", 10.0)
    found = outcome(habitat, project, text("SELECT pg_sleep(3600);"))
    assert (found.kind, found.words) == ("stuck", "Apply: ended after 10 s")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id integer PRIMARY KEY", "id integer PRIMARY", "[set up] fails"),
        ("VALUES (100 + :n, 1)", "VALUES (100, 1)", "fails without any runbook"),
        ("count(*) >= 50", "count(*) = 50", "not true without any runbook"),
    ],
)
def test_a_shape_that_is_wrong_by_itself_is_the_authors(
    habitat: Habitat, tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in SHAPE
    (shape,) = shapes_of(project_at(tmp_path, {"zoo/small.sql": SHAPE.replace(old, new)}))
    with pytest.raises(DocumentError) as error, habitat.zoo.habitat(shape):
        pass
    assert said in error.value.message


def test_the_command_tells_compares_and_writes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project.root, "runbooks/tiny.md", text(ADD))
    monkeypatch.chdir(project.root)
    pg = ["--pg", str(TEST_MAJOR)] if TEST_MAJOR else []

    def run(*more: str) -> tuple[int, str]:
        ended = CliRunner().invoke(cli, ["rehearse", "--zoo", *pg, *more], standalone_mode=False)
        assert ended.exception is None, ended.exception
        return int(ended.return_value), click.unstyle(ended.output)

    status, said = run()
    assert status == 1
    assert "tiny on small" in said
    assert "no evidence -> done" in said
    assert (
        f"accept it with `pgrehearse rehearse --zoo --refresh --pg {said.split('PostgreSQL ')[1][:2]}`"
        in said
    )
    assert run("--refresh")[0] == 0
    status, said = run()
    assert status == 0, said
    assert "1 pairs of a runbook and a shape" in said
    write(project.root, "runbooks/tiny.md", text(ADD, "SELECT 1;"))
    status, said = run()
    assert status == 1
    assert "FAIL  tiny on small" in said
    assert "undone wrongly" in said
    write(project.root, "zoo/open.toml", '[tiny]\nsmall = "it is planted"\n')
    status, said = run("--refresh")
    assert (status, "1 known to be red" in said) == (0, True), said


@pytest.mark.parametrize(
    ("fillings", "head", "said"),
    [
        ("[others]\nvalues = {}\n", "", "nothing can be tried: no table [tiny] is there"),
        ('[tiny]\nvalues = { table = "{odd}" }\n', "", "[tiny] uses the name odd, which small.sql has not"),
        ("[tiny]\ndone = []\n", "", "[tiny] has no values"),
        (RUNBOOKS, "majors = [14]\n", "nothing was tried: these shapes are for other servers"),
    ],
)
def test_nothing_tried_is_not_taken_for_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fillings: str, head: str, said: str
) -> None:
    shape = SHAPE.replace("/*\n", f"/*\n{head}", 1)
    made = project_at(tmp_path, {"zoo/small.sql": shape, "zoo/runbooks.toml": fillings})
    write(made.root, "runbooks/tiny.md", text(ADD))
    monkeypatch.chdir(made.root)
    pg = ["--pg", str(TEST_MAJOR)] if TEST_MAJOR else []
    with pytest.raises(PgRehearseError, match=re.escape(said)):
        CliRunner().invoke(cli, ["rehearse", "--zoo", *pg], standalone_mode=False, catch_exceptions=False)


@pytest.mark.parametrize(
    ("options", "said"),
    [(("--zoo", "--shape", "no"), "no shape 'no'"), (("--shape", "small"), "--shape goes with --zoo")],
)
def test_options_that_mean_nothing_are_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    write(project.root, "runbooks/tiny.md", text(ADD))
    monkeypatch.chdir(project.root)
    ended = CliRunner().invoke(cli, ["rehearse", *options])
    assert (ended.exit_code, said in ended.output) == (2, True), ended.output
