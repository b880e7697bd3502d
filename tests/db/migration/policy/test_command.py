"""``pgrehearse db lint`` and the pytest plugin, as a user calls them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from pgrehearse.text.project import Project
from support.processes import PGREHEARSE, PYTEST, Ended, call, clean_environment

HERE = Path(__file__).parent
RED = "-- migrate:up\n\n\nALTER TABLE items RENAME note TO remark;\n\n-- migrate:down\n\nSELECT 1;\n"


def run(project: Project, *command: str, path: str | None = None) -> Ended:
    environment = clean_environment(**({"PATH": path} if path else {}))
    return call(command, project.root, environment)


def lint(project: Project, *options: str, path: str | None = None) -> Ended:
    return run(project, *PGREHEARSE, "db", "lint", *options, path=path)


@pytest.fixture
def red(project: Project) -> Project:
    (project.migrations / "0002_change.sql").write_text(RED)
    return project


def test_a_problem_is_named_with_place_rule_fact_and_next_step(red: Project) -> None:
    ended = lint(red, "db/migrations/0002_change.sql")
    assert ended.status == 1
    for part in (
        "db/migrations/0002_change.sql:4: rule 3 (breaking): renames column items.note to 'remark'\n",
        "db/migrations/0002_change.sql:4: rule 5 (lock-timeout): ",
        "  statement: ALTER TABLE items RENAME note TO remark\n",
        "  measured: ACCESS EXCLUSIVE on items; readers and writers of items",
        "  see: guides/schema-evolution-policy, rule 5\n",
        "1 migration checked: 2 problems (hazard: 2)\n",
    ):
        assert part in ended.out


def test_json(red: Project) -> None:
    ended = lint(red, "--json", "--rows", "10")
    found = json.loads(ended.out)
    assert (ended.status, found["checked"]) == (1, ["0001_start.sql", "0002_change.sql"])
    assert [(p["path"], p["line"], p["rule"], p["check"]) for p in found["problems"]] == [
        ("db/migrations/0002_change.sql", 4, 3, "breaking"),
        ("db/migrations/0002_change.sql", 4, 5, "lock-timeout"),
    ]
    assert found["not_run"] == {"applied": "neither --base nor --dsn says what is applied"}


def test_formats(red: Project) -> None:
    json_ = lint(red, "--format", "json", "--rows", "10")
    assert [problem["check"] for problem in json.loads(json_.out)["problems"]] == ["breaking", "lock-timeout"]
    sarif = lint(red, "--format", "sarif", "--rows", "10")
    (log,) = json.loads(sarif.out)["runs"]
    assert (sarif.status, [result["ruleId"] for result in log["results"]]) == (
        1,
        ["policy/breaking", "policy/lock-timeout"],
    )
    place = log["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "db/migrations/0002_change.sql"
    assert place["region"] == {"startLine": 4}


def test_green_is_silent_and_zero(project: Project) -> None:
    ended = lint(project)
    assert (ended.status, ended.out.splitlines()[-1]) == (0, "1 migration checked: 0 problems")


def test_without_a_server_the_rest_is_not_run(red: Project) -> None:
    ended = lint(red, "--no-measure")
    assert ended.status == 0
    assert "not run: judged, breaking, one-table, detach, lock-timeout, rewrite" in ended.out


def test_a_file_of_elsewhere_is_refused(red: Project) -> None:
    assert lint(red, "db/seed.sql").status == 65


def test_a_check_that_is_off_is_said_in_every_run(red: Project) -> None:
    config = red.root / "pyproject.toml"
    config.write_text('[tool.pgrehearse.policy-off]\nlock-timeout = "the runner sets it"\n')
    ended = lint(red)
    assert "(lock-timeout)" not in ended.out
    assert "not run: lock-timeout (off in pyproject.toml: the runner sets it)" in ended.out
    config.write_text('[tool.pgrehearse.policy-off]\nlock-timeouts = "a misspelling"\n')
    assert lint(red).status == 65


def test_old_files_that_do_not_run_are_replaced_by_a_dump(red: Project) -> None:
    start = red.migrations / "0001_start.sql"
    (red.root / "dump.sql").write_text(start.read_text().split("-- migrate:down")[0])
    start.write_text(
        start.read_text().replace("CREATE TYPE shade", "CREATE EXTENSION nowhere;\nCREATE TYPE shade")
    )
    ended = lint(red, "db/migrations/0002_change.sql")
    assert (ended.status, "--schema FILE" in ended.err) == (65, True)
    ended = lint(red, "--schema", "dump.sql", "db/migrations/0002_change.sql")
    assert ended.status == 1
    assert "1 migration checked: 2 problems" in ended.out


def test_rows_are_made_where_the_seed_gives_none(project: Project) -> None:
    (project.root / "db" / "seed.sql").unlink()
    change = project.migrations / "0002_change.sql"
    change.write_text("-- migrate:up\nUPDATE items SET note = 'b' WHERE note = 'a';\n-- migrate:down\n")
    ended = lint(project, "db/migrations/0002_change.sql")
    assert "note: rows were made for items; the seed gave none" in ended.out
    assert "0002_change.sql:2: rule 7 (backfill): " in ended.out


def test_made_rows_that_a_file_cannot_have_are_made_plainer(project: Project) -> None:
    (project.root / "db" / "seed.sql").unlink()
    change = project.migrations / "0002_change.sql"
    change.write_text(
        "-- migrate:up\nSET LOCAL lock_timeout = '2s';\nALTER TABLE items ALTER note SET NOT NULL;\n"
        "-- migrate:down\nALTER TABLE items ALTER note DROP NOT NULL;\n"
    )
    ended = lint(project, "db/migrations/0002_change.sql")
    assert ended.out.count(": rule ") == 2, "no rule 2: the rows of the second attempt hold no NULL"
    assert "0002_change.sql:3: rule 8 (scan): " in ended.out


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE items ALTER note TYPE jsonb USING note::jsonb;",
        "ALTER TABLE items ALTER note TYPE varchar(1);",
        "ALTER TABLE items ALTER note TYPE date USING to_date(note, 'YYYY-MM-DD');",
        "UPDATE items SET note = (SELECT i.note FROM items AS i);",
        "DO $$ BEGIN IF EXISTS (SELECT FROM items) THEN RAISE 'clean it first'; END IF; END $$;",
    ],
)
def test_what_the_made_rows_cannot_is_no_fault_of_the_file(project: Project, change: str) -> None:
    """Texts that are no JSON, too long, no date; more rows than one; a check of its own: 22, 21, P0."""
    (project.root / "db" / "seed.sql").unlink()
    up = f"-- migrate:up\nSET LOCAL lock_timeout = '2s';\n{change}\n"
    (project.migrations / "0002_change.sql").write_text(f"{up}-- migrate:down\nSELECT 1;\n")
    ended = lint(project, "db/migrations/0002_change.sql")
    assert "(runnable)" not in ended.out
    assert "measured 1 of 2 statements (" in ended.out
    assert "1 left out: COMMENT ON and SET" in ended.out
    (project.migrations / "0002_change.sql").write_text(f"{up}SELECT 1/0;\n-- migrate:down\nSELECT 1;\n")
    assert "(runnable)" in lint(project, "db/migrations/0002_change.sql").out, "a fault of the file's own"


def test_tables_without_rows_are_named(project: Project) -> None:
    (project.root / "db" / "seed.sql").unlink()
    (project.migrations / "0002_odd.sql").write_text(
        "-- migrate:up\nCREATE TABLE odd (n int CHECK (n < 0));\n-- migrate:down\nDROP TABLE odd;\n"
    )
    (project.migrations / "0003_change.sql").write_text(
        "-- migrate:up\nUPDATE odd SET n = -2 WHERE n = -1;\n-- migrate:down\nSELECT 1;\n"
    )
    ended = lint(project, "db/migrations/0003_change.sql")
    assert "note: measured without rows: odd" in ended.out
    assert "0003_change.sql:2: rule 2 (judged): its condition met no row of odd" in ended.out
    assert ended.status == 1


OLD = {
    "a transaction of its own": "BEGIN;\nCREATE TABLE ware (id int);\nCOMMIT;\n",
    "rows for COPY": "CREATE TABLE ware (id int);\nCOPY ware FROM stdin;\n1\n\\.\n",
    "a role of elsewhere": "CREATE TABLE ware (id int);\nGRANT SELECT ON ware TO somebody;\n",
    "psql's own lines": "\\restrict a\nCREATE TABLE ware (id int);\n\\unrestrict a\n",
}


@pytest.mark.parametrize("up", OLD.values(), ids=OLD.keys())
@pytest.mark.parametrize("down", ["DROP TABLE ware;", "DROP INDEX CONCURRENTLY none;"])
def test_an_old_file_that_no_runner_could_send_hides_nothing(project: Project, up: str, down: str) -> None:
    (project.migrations / "0002_old.sql").write_text(f"-- migrate:up\n{up}-- migrate:down\n{down}\n")
    (project.migrations / "0003_change.sql").write_text(
        "-- migrate:up\nALTER TABLE ware ALTER id TYPE bigint;\n-- migrate:down\nSELECT 1;\n"
    )
    ended = lint(project, "db/migrations/0003_change.sql")
    assert (ended.status, "0003_change.sql:2: rule 6 (rewrite): " in ended.out) == (1, True)
    assert "measured 1 of 1 statement" in ended.out


def test_hygiene_alone_fails_only_who_asks_for_it(project: Project) -> None:
    (project.migrations / "0002_change.sql").write_text("-- migrate:up\nCREATE TABLE a (n int);\n")
    ended = lint(project)
    assert (ended.status, ended.out.splitlines()[-1]) == (0, "2 migrations checked: 1 problem (hygiene: 1)")
    assert lint(project, "--fail-on", "policy").status == 0
    assert lint(project, "--fail-on", "hygiene").status == 1
    (project.root / "pyproject.toml").write_text('[tool.pgrehearse]\npolicy-fails-on = "hygiene"\n')
    assert lint(project).status == 1
    assert run(project, *PYTEST, "-q", "db").status == 1
    (project.root / "pyproject.toml").write_text('[tool.pgrehearse]\npolicy-fails-on = "all"\n')
    assert lint(project).status == 69


def test_a_seed_for_a_later_schema_gives_the_columns_of_then(project: Project) -> None:
    seed = project.root / "db" / "seed.sql"
    seed.write_text(seed.read_text() + "UPDATE items SET size = 'large';\n")
    text = RED.replace(
        "RENAME note TO remark", "ADD COLUMN size text;\nUPDATE items SET size = title WHERE price > 0"
    )
    (project.migrations / "0002_change.sql").write_text(text)
    ended = lint(project)
    assert "measured without rows" not in ended.out
    assert "0002_change.sql:5: rule 7 (backfill): " in ended.out


def test_squawk_is_asked_about_the_up_part_without_its_wrong_rules(red: Project, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "squawk"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n" + (HERE / "fake_squawk.py").read_text())
    program.chmod(0o755)
    ended = lint(red, "--squawk", "--no-measure", path=str(program.parent))
    assert ended.status == 0, "an opinion decides nothing"
    if shutil.which("squawk", path=str(Path(sys.executable).parent)) is None:
        said = "0002_change.sql:6: squawk 2.70.0 says (renaming-column): Renaming a column may break"
        assert said in ended.out
        called = json.loads(program.with_suffix(".called").read_text())
        assert called["text"] == "ALTER TABLE items RENAME note TO remark;"
        assert "--assume-in-transaction" in called["arguments"]
        excluded = next(a for a in called["arguments"] if a.startswith("--exclude="))
        assert "prefer-robust-stmts" in excluded
    else:  # the real one, beside this Python
        assert "0002_change.sql:4: squawk " in ended.out
        assert "says (renaming-column)" in ended.out


def test_without_squawk_it_says_so(red: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from pgrehearse.migration.policy import squawk

    monkeypatch.setattr(squawk, "_find", lambda: None)
    assert squawk.ask([]).missing.startswith("it is not installed")


def test_the_plugin_collects_the_folder_as_one_item(red: Project) -> None:
    ended = run(red, *PYTEST, "-q", "db")
    assert ended.status == 1
    assert "db/migrations/0002_change.sql:4: rule 3 (breaking)" in ended.out
    (red.migrations / "0002_change.sql").unlink()
    ended = run(red, *PYTEST, "-q", "db")
    assert (ended.status, "1 passed" in ended.out) == (0, True)
    assert "migrations policy: measured 3 of 6 statements (3 left out: COMMENT ON and SET keep" in ended.out


def test_the_plugin_can_be_told_not_to(red: Project) -> None:
    ended = run(red, *PYTEST, "-q", "--no-policy", "db")
    assert (ended.status, "no tests ran" in ended.out) == (5, True)


def test_a_base_for_the_plugin(red: Project) -> None:
    without = run(red, *PYTEST, "-q", "--policy-base", "nowhere", "db")
    subprocess.run(["git", "init", "-q"], cwd=red.root, check=True)
    ended = run(red, *PYTEST, "-q", "--policy-base", "nowhere", "db")
    assert (without.status, ended.status) == (1, 1)
    assert "git has no repository" in without.out
    assert "git knows no commit 'nowhere'" in ended.out


def test_what_was_measured_of_the_same_files_is_remembered(red: Project) -> None:
    (red.migrations / "0003_index.sql").write_text(
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY a ON items (title);\n"
        "-- migrate:down\nSELECT 1;\n"
    )
    seed = red.root / "db" / "seed.sql"
    seed.write_text(f"{seed.read_text()}-- {uuid4()}\n")  # nobody asked this question before
    first, again = (json.loads(lint(red, "--json").out) for _ in range(2))
    assert first["coverage"]["before"] == 0
    assert (again.pop("coverage")["before"], again) == (first.pop("coverage")["measured"], first)
    assert json.loads(lint(red, "--json", "--fresh").out)["coverage"]["before"] == 0
    seed.write_text(f"{seed.read_text()}-- {uuid4()}\n")
    assert json.loads(lint(red, "--json").out)["coverage"]["before"] == 0
    (red.migrations / "0003_index.sql").write_text(
        "-- migrate:up\nDROP TABLE items;\n-- migrate:down\nSELECT 1;\n"
    )
    found = json.loads(lint(red, "--json").out)
    assert 0 < found["coverage"]["before"] < found["coverage"]["measured"], "of the files before it"
    assert "drops table or view items" in [one["message"] for one in found["problems"]]
