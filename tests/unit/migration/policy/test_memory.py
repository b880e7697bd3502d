"""What is remembered of a file is what was seen of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.measurement.xray_rows import Row
from pgrehearse.measurement.xray_steps import steps
from pgrehearse.migration.policy.comments import Made
from pgrehearse.migration.policy.interface import Thing
from pgrehearse.migration.policy.judged_file import File, read
from pgrehearse.migration.policy.memory import Memory
from pgrehearse.migration.policy.playback import Failed
from pgrehearse.migration.policy.report import PolicyRequest
from pgrehearse.migration.policy.seen import Seen
from pgrehearse.text import migration_files
from pgrehearse.text.project import Project
from support.projects import project_at

UP = "-- migrate:up\nALTER TABLE a ADD n int;\nSELECT 1;\n-- migrate:down\nSELECT 1;\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PGREHEARSE_CACHE", str(tmp_path / "cache"))
    return project_at(tmp_path / "p", {"db/migrations/0001_a.sql": UP, "db/migrations/0002_b.sql": UP})


def files(project: Project) -> list[File]:
    return [read(one) for one in migration_files.load(project.migrations)]


def seen(file: File) -> Seen:
    one, other = steps(file.migration.path)
    facts = Facts(locks={"a": "SHARE"}, probes={"a": {"SELECT": "waits"}}, scans=("a",), changed={"a": 3})
    rows = (
        Row(
            one,
            facts,
            waits=(("a", ("SELECT",)),),
            own=("a",),
            once_unused=("b",),
            rewrites=("a",),
            partitioned=True,
            advice="x",
            unseen=("its ALTER TABLE did not run here, or was undone",),
            lock_timeout=2.0,
        ),
        Row(other, None, error="fails (42P01)"),
    )
    made = Made(7, "INDEX", "a", "i", "why", domain=False)
    states = ((None, {("column", "a", "n"): Thing("1.2", {"type": "int"})}), (file.up[1], {}))
    return Seen(
        rows,
        known=frozenset({"a", "b"}),
        tables=frozenset({"a"}),
        empty=frozenset({"b"}),
        made=frozenset({"a"}),
        interfaces=states,
        objects=((None, []), (file.up[0], [made])),
        end=[made],
        failed=Failed(3, "no", "42P01", "SELECT 1"),
        notes=("a role",),
    )


def test_what_is_kept_is_recalled(project: Project) -> None:
    found = files(project)
    request = PolicyRequest(remembered="18.6")
    assert Memory(project, request, found).recalled(1) is None
    Memory(project, request, found).keep(1, seen(found[1]))
    recalled = Memory(project, request, files(project)).recalled(1)
    assert recalled == seen(files(project)[1])
    assert Memory(project, replace(request, fresh=True), files(project)).recalled(1) is None


def test_without_the_version_of_a_server_there_is_none(project: Project) -> None:
    found = files(project)
    Memory(project, PolicyRequest(), found).keep(1, seen(found[1]))
    assert Memory(project, PolicyRequest(), found).recalled(1) is None
    assert not list(project.root.parent.glob("cache/policy/*"))


@pytest.mark.parametrize("changed", ["version", "rows", "seed", "roles", "earlier", "itself", "damaged"])
def test_another_question_has_another_answer(project: Project, changed: str) -> None:
    request = PolicyRequest(remembered="18.6")
    found = files(project)
    Memory(project, request, found).keep(1, seen(found[1]))
    request = {
        "version": replace(request, remembered="18.7"),
        "rows": replace(request, rows=7),
    }.get(changed, request)
    if changed in ("seed", "roles"):
        (project.root / "db" / f"{changed}.sql").write_text("SELECT 1;\n")
    elif changed in ("earlier", "itself"):
        path = found[changed == "itself"].migration.path
        path.write_text(UP + "-- more\n")
    elif changed == "damaged":
        [kept] = project.root.parent.glob("cache/policy/*.json")
        kept.write_text(kept.read_text()[:-40])
    assert Memory(project, request, files(project)).recalled(1) is None


def test_rows_of_all_migrations_are_forgotten_with_a_later_one(project: Project) -> None:
    request = PolicyRequest(remembered="18.6")
    found = files(project)
    Memory(project, request, found).keep(0, replace(seen(found[0]), of_all=True))
    assert Memory(project, request, found).recalled(0) is not None
    found[1].migration.path.write_text(UP + "-- more\n")
    assert Memory(project, request, files(project)).recalled(0) is None
