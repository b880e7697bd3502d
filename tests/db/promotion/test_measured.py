"""What was measured of a plan is believed only as it was written, for that plan: gates are green by it."""

from __future__ import annotations

import json
from pathlib import Path

from pgrehearse.promotion.measured import Measured, measured
from pgrehearse.text import migration_files
from pgrehearse.text.project import Project
from support.majors import TEST_MAJOR
from support.projects import project_at

PART = "-- migrate:up\n{}\n\n-- migrate:down\nSELECT 1;\n"


def test_what_was_edited_or_is_of_another_plan_is_measured_again(tmp_path: Path) -> None:
    files = {
        "db/migrations/1_make.sql": PART.format("CREATE TABLE plan (id int);"),
        "db/migrations/2_add.sql": PART.format("ALTER TABLE plan ADD UNIQUE (id);"),
    }
    project: Project = project_at(tmp_path, files)
    migrations = migration_files.load(project.migrations)
    said: list[str] = []

    def look() -> Measured:
        return measured(project, migrations, migrations[1:], TEST_MAJOR, said.append)

    first = look()
    assert (len(said), first.findings != ()) == (1, True), "the plan builds an index under a lock"
    assert (look(), len(said)) == (first, 1)
    (kept,) = (project.records / "promotion").iterdir()
    whole = kept.read_text("utf-8")
    kept.write_text(json.dumps({**json.loads(whole), "findings": []}), "utf-8")
    assert (look().findings, len(said)) == (first.findings, 2)
    measured(project, migrations, migrations[:1], TEST_MAJOR, said.append)
    (other,) = (file for file in kept.parent.iterdir() if file != kept)
    other.replace(kept)
    assert (look().findings, len(said)) == (first.findings, 4)
