"""Tests of migrations: this repository's are green, and each way a migration can be wrong turns red."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from pgrehearse.command.db.test import test as command
from pgrehearse.errors import SetupError
from pgrehearse.migration.policy import judged_file, text_checks
from pgrehearse.migration.trial import dbmate
from pgrehearse.migration.trial.release import release
from pgrehearse.migration.trial.trials import TrialPlan, run
from pgrehearse.migration.trial.tried import Tried
from pgrehearse.servers import Server
from pgrehearse.text import migration_files
from pgrehearse.text.project import Project
from support.projects import commit

TABLE = (
    "-- migrate:up\nCREATE TABLE a (n int CONSTRAINT positive CHECK (n > 0), t text);\n"
    "-- migrate:down\nDROP TABLE a;\n"
)
INDEX = (
    "-- migrate:up\nCREATE INDEX a_n_idx ON a (n);\nCOMMENT ON INDEX a_n_idx IS 'Looks up n.';\n"
    "-- migrate:down\nDROP INDEX a_n_idx;\n"
)
Make = Callable[..., TrialPlan]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a project of these migrations, numbered from 1, and other files."""

    def make(*texts: str, **files: str) -> TrialPlan:
        folder = tmp_path / "db" / "migrations"
        folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pyproject.toml").write_text("", "utf-8")
        for number, text in enumerate(texts, 1):
            (folder / f"{number}_m.sql").write_text(text, "utf-8")
        for name, text in files.items():
            (tmp_path / "db" / f"{name}.sql").write_text(text, "utf-8")
        return TrialPlan(Project.at(tmp_path), tuple(migration_files.load(folder)))

    return make


def said(server: Server, plan: TrialPlan) -> dict[str, str]:
    """Every step by its name: ``ok``, or what is wrong with it."""
    return {step.name: text(step) for step in run(server, plan) if step.status != "not run" or step.wanted}


def text(step: Tried) -> str:
    if not step.findings:
        return step.status
    first = step.findings[0]
    where = f"{first.path.name}:{first.line} " if first.path and first.line else ""
    return where + "; ".join(finding.message for finding in step.findings)


def test_this_repository(repository: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository.root)
    done = CliRunner().invoke(command, [], standalone_mode=False)
    assert done.return_value == 0, done.output
    count = len(list((repository.root / "db" / "migrations").glob("*.sql")))
    assert done.output.count("up, down, up") == count
    assert f"{count + 3} ok, 0 failed, 3 not run" in done.output


def test_green(server: Server, make: Make) -> None:
    seed = "INSERT INTO a SELECT n FROM generate_series(1, :'rows'::int) AS n;"
    smoke = (
        "-- refuses 23514 positive\nINSERT INTO a VALUES (0);\n-- uses a_n_idx\nSELECT n FROM a WHERE n=1;"
    )
    assert said(server, make(TABLE, INDEX, seed=seed, smoke=smoke)) == dict.fromkeys(
        ("up from nothing", "1_m", "2_m", "seed", "smoke"), "ok"
    )


#: Migrations after TABLE, and what is said of the first of them.
WRONG = {
    "down forgets the index": (
        [INDEX.replace("DROP INDEX a_n_idx", "SELECT 1"), "-- migrate:up\n-- migrate:down\n"],
        "2_m.sql:5 the down part leaves: CREATE INDEX a_n_idx",
    ),
    "down forgets a type": (
        [
            "-- migrate:up\nDROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('x');\n-- migrate:down\n"
        ],
        "2_m.sql:4 the down part leaves: CREATE TYPE",
    ),
    "down forgets a comment": (
        ["-- migrate:up\nCOMMENT ON TABLE a IS 'All of them.';\n-- migrate:down\n"],
        "2_m.sql:4 the down part leaves: COMMENT ON TABLE",
    ),
    "down takes too much": (
        ["-- migrate:up\nALTER TABLE a ADD u int;\n-- migrate:down\nALTER TABLE a DROP u, DROP t;\n"],
        "the down part loses: ",
    ),
    "down loses a comment": (
        [
            "-- migrate:up\nCOMMENT ON COLUMN a.t IS 'T';\n-- migrate:down\nCOMMENT ON COLUMN a.t IS NULL;\n",
            "-- migrate:up\nALTER TABLE a DROP t;\n-- migrate:down\nALTER TABLE a ADD t text;\n",
        ],
        "3_m.sql:4 the down part loses: COMMENT ON COLUMN",
    ),
    "no down": (["-- migrate:up\nSELECT 1;\n"], "2_m.sql:2 no down part"),
    "down fails": (
        ["-- migrate:up\nSELECT 1;\n-- migrate:down\nDROP TABLE b;\n"],
        '2_m.sql:4 2_m (down) failed: table "b" does not exist (42P01)',
    ),
    "the second up does something else": (
        [
            "-- migrate:up\nDO $$ BEGIN IF to_regclass('seen') IS NULL THEN CREATE TABLE b ();\n"
            "END IF; END $$;\n"
            "-- migrate:down\n-- not restored: it leaves a table behind\n"
            "DROP TABLE b; CREATE TABLE seen ();\n"
        ],
        "the second up lacks: CREATE TABLE public.b",
    ),
    "an excuse that is not true": (
        [INDEX.replace("DROP INDEX", "-- not restored: cannot\nDROP INDEX")],
        "2_m.sql:5 the down part restores everything, but says: not restored: cannot",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_migration_is_named(name: str, server: Server, make: Make) -> None:
    texts, expected = WRONG[name]
    steps = said(server, make(TABLE, *texts))
    wrong = {step: what for step, what in steps.items() if what != "ok"}
    assert len(wrong) == 1, steps
    assert expected in next(iter(wrong.values())), wrong


@pytest.mark.parametrize("spelled", ["-- not restored: ", "--not restored:", "  --  not restored:\t"])
def test_an_excuse_counts_in_every_command(spelled: str, server: Server, make: Make) -> None:
    leaves = f"-- migrate:up\nCREATE TABLE b ();\n-- migrate:down\n{spelled}b stays\nSELECT 1;\n"
    again = leaves.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS")
    plan = make(TABLE, again)
    assert set(said(server, plan).values()) == {"ok"}
    empty = [
        text_checks.check(judged_file.read(migration))
        for migration in make(TABLE, again.replace("SELECT 1;", "")).migrations
    ]
    assert [problem for problems in empty for problem in problems] == []


def test_what_postgresql_cannot_undo(server: Server, make: Make) -> None:
    mood = "-- migrate:up\nCREATE TYPE mood AS ENUM ('good');\n-- migrate:down\nDROP TYPE mood;\n"
    label = (
        "-- migrate:up\nALTER TYPE mood ADD VALUE IF NOT EXISTS 'bad';\n-- migrate:down\n"
        "-- not restored: PostgreSQL cannot remove an enum label\n"
    )
    assert said(server, make(mood, label)) == dict.fromkeys(("up from nothing", "1_m", "2_m"), "ok")
    wrong = said(server, make(mood, label.replace("-- not restored: ", "-- ")))
    assert "the down part leaves: CREATE TYPE public.mood" in wrong["2_m"]


def test_an_up_that_fails_ends_the_run(server: Server, make: Make) -> None:
    steps = said(server, make(TABLE, "-- migrate:up\nSELECT 1/0;\n-- migrate:down\n"))
    assert steps == {"up from nothing": "2_m.sql:2 2_m (up) failed: division by zero (22012)"}


def test_seed_and_contract(server: Server, make: Make) -> None:
    steps = said(server, make(TABLE, seed="\nINSERT INTO a VALUES (0);", smoke=""))
    assert steps["seed"].startswith('seed.sql:2 the seed failed: new row for relation "a" violates check')
    assert steps["smoke"] == "not run"
    steps = said(server, make(TABLE, seed="\nINSERT INTO a VALUES (1);", smoke=""))
    assert steps["smoke"] == "no entry shows constraint positive on a"


# --- an earlier release -------------------------------------------------------------------------------


def upgraded(server: Server, make: Make, tmp_path: Path, then: str, first: str = TABLE) -> str:
    """Release TABLE with a row whose t is NULL, add the migration ``then``, and upgrade."""
    project = make(TABLE, seed="INSERT INTO a VALUES (1);").project
    ref = commit(project.root)
    folder = tmp_path / "base"
    folder.mkdir()
    plan = make(first, then)
    steps = said(server, replace(plan, base=release(project, ref, folder)))
    return steps[f"upgrade from {ref}"]


def test_an_upgrade(server: Server, make: Make, tmp_path: Path) -> None:
    assert upgraded(server, make, tmp_path, INDEX) == "ok"


def test_an_upgrade_that_rows_stop(server: Server, make: Make, tmp_path: Path) -> None:
    then = (
        "-- migrate:up\nALTER TABLE a ALTER t SET NOT NULL;\n"
        "-- migrate:down\nALTER TABLE a ALTER t DROP NOT NULL;\n"
    )
    assert 'column "t" of relation "a" contains null values (23502)' in upgraded(server, make, tmp_path, then)


def test_an_upgrade_that_ends_elsewhere(server: Server, make: Make, tmp_path: Path) -> None:
    then = (
        "-- migrate:up\nDO $$ BEGIN IF EXISTS (SELECT FROM a) THEN CREATE TABLE b (); END IF; END $$;\n"
        "-- migrate:down\nDROP TABLE IF EXISTS b;\n"
    )
    assert upgraded(server, make, tmp_path, then).startswith(
        "the upgraded database has besides: CREATE TABLE"
    )


def test_an_upgrade_of_edited_history(server: Server, make: Make, tmp_path: Path) -> None:
    edited = TABLE.replace("n > 0", "n > -1")
    assert "1_m was edited after it was applied" in upgraded(server, make, tmp_path, INDEX, edited)


def test_a_release_nobody_has(make: Make, tmp_path: Path) -> None:
    project = make(TABLE).project
    commit(project.root)
    with pytest.raises(SetupError, match="there is no commit 'v9'"):
        release(project, "v9", tmp_path)


# --- dbmate -------------------------------------------------------------------------------------------


def test_dbmate_agrees(server: Server, make: Make, real: dbmate.Dbmate) -> None:
    steps = said(server, replace(make(TABLE, INDEX), dbmate=real))
    assert (steps["dbmate reads"], steps["dbmate applies"]) == ("ok", "ok")


def test_dbmate_disagrees(server: Server, make: Make, real: dbmate.Dbmate) -> None:
    alone = "-- migrate:up transaction:false\nSELECT 1;\nVACUUM;\n-- migrate:down\n"
    steps = said(server, replace(make(TABLE, alone), dbmate=real))
    assert "VACUUM cannot run inside a transaction block" in steps["dbmate applies"]
    assert steps["dbmate reads"] == "ok"


def test_what_one_ledger_has_and_the_other_not(server: Server, make: Make, real: dbmate.Dbmate) -> None:
    plan = replace(make(TABLE, INDEX), dbmate=real)
    steps = said(server, replace(plan, migrations=plan.migrations[:1]))
    assert steps["dbmate reads"] == "for dbmate this is pending: [ ] 2_m.sql"
    assert "the database dbmate made has besides: CREATE INDEX" in steps["dbmate applies"]
    assert "for us, 2 is missing" in steps["dbmate applies"]


def test_dbmate_is_not_there(
    repository: Project, monkeypatch: pytest.MonkeyPatch, make: Make, tmp_path: Path
) -> None:
    monkeypatch.chdir(make(TABLE).project.root)
    monkeypatch.setattr(dbmate.shutil, "which", lambda name: None)
    monkeypatch.setattr(dbmate, "subdirectory", lambda name: tmp_path)
    done = CliRunner().invoke(command, ["--dbmate"], standalone_mode=False)
    assert "not run  dbmate applies  there is no dbmate here, and no npm to fetch it" in done.output
    assert done.return_value == 1, "asked for and not run is not green"


ROLE = (
    "-- migrate:up\nCREATE ROLE trial_reader NOLOGIN;\nCREATE TABLE r (n int);\n"
    "GRANT SELECT ON r TO trial_reader;\n"
    "GRANT SELECT ON r TO trial_of_the_file;\n-- migrate:down\nDROP TABLE r;\nDROP ROLE trial_reader;\n"
)


def test_a_role_is_of_the_cluster(server: Server, make: Make) -> None:
    """Made for one database it is there for the next; and it goes with the run."""
    plan = make(ROLE, roles="CREATE ROLE trial_of_the_file NOLOGIN;\n")
    for _ in range(2):
        steps = list(run(server, plan))
        assert [finding.said for step in steps for finding in step.findings] == []
    with psycopg.connect(server.dsn()) as connection:
        left = connection.execute("SELECT rolname FROM pg_roles WHERE rolname ~ '^trial_'").fetchall()
    assert left == []
