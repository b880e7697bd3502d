"""What ``pgrehearse run`` is asked for: runbook, parameters and options, before it touches anything."""

from __future__ import annotations

import pytest

from support.bench import Bench
from support.databases import Database

LABEL = """\
  label:
    description: Label to add
    example: kickstarter
  pause:
    description: Seconds between batches
    example: "0"
    default: "1"
"""
ADD = ["INSERT INTO trace (note) VALUES (:'label'), (:'pause');"]
HOSTILE = "x'); DROP TABLE wishlist_items;--"


@pytest.fixture
def labeled(bench: Bench) -> Bench:
    bench.runbook(ADD, parameters=LABEL)
    return bench


def test_unknown_runbook_with_a_near_name(labeled: Bench) -> None:
    ended = labeled.call("run", "sampel")
    assert ended.status == 65
    assert "no runbook 'sampel'" in ended.err
    assert "did you mean 'sample'?" in ended.err
    assert "pgrehearse list names those" in labeled.call("run", "zzz").err


def test_unknown_file_with_a_near_name(labeled: Bench) -> None:
    ended = labeled.call("run", "runbooks/sampel.md")
    assert ended.status == 65
    assert "did you mean 'sample'?" in ended.err


def test_a_folder_with_the_name_of_a_runbook_is_not_in_the_way(labeled: Bench) -> None:
    (labeled.root / "sample").mkdir()
    assert labeled.call("run", "sample", "--dry-run", "--set", "label=x").status == 0


def test_a_guide_is_not_run(bench: Bench) -> None:
    bench.write("docs/guide.md", "# Guide\n\n```sql\nSELECT 1;\n```\n")
    ended = bench.call("run", "docs/guide.md", "--dry-run")
    assert ended.status == 65
    assert "is not a runbook: it has no Apply phase" in ended.err
    assert "pgrehearse test" in ended.err


def test_a_runbook_the_linter_refuses_is_not_run(bench: Bench) -> None:
    text = bench.runbook(["SELECT :'nobody';"])
    ended = bench.call("run", "sample", "--dry-run")
    assert ended.status == 65
    assert f"sample.md:{bench.line(text, 'SELECT :')}: variable 'nobody' is no parameter" in ended.err


def test_missing_parameters_are_listed(labeled: Bench) -> None:
    ended = labeled.call("run", "sample", "--dry-run")
    assert ended.status == 69
    assert "--set label=...  Label to add (such as kickstarter)" in ended.err
    assert "--set pause" not in ended.err


def test_unknown_parameter_with_a_near_name(labeled: Bench) -> None:
    ended = labeled.call("run", "sample", "--set", "lable=x")
    assert ended.status == 69
    assert "has no parameter 'lable'" in ended.err
    assert "did you mean 'label'?" in ended.err


def test_malformed_set(labeled: Bench) -> None:
    ended = labeled.call("run", "sample", "--set", "label")
    assert ended.status == 2
    assert "--set 'label' is not NAME=VALUE" in ended.err


def test_a_parameter_given_twice_is_refused(labeled: Bench) -> None:
    ended = labeled.call("run", "sample", "--dry-run", "--set", "label=a", "--set", "label=b")
    assert ended.status == 2
    assert "gives label a second time" in ended.err


def test_a_value_may_hold_an_equals_sign_and_be_empty(labeled: Bench) -> None:
    ended = labeled.call("run", "sample", "--dry-run", "--set", "label=a=b", "--set", "pause=")
    assert "VALUES ('a=b'), ('');" in ended.out


def test_dry_run_connects_to_nothing(labeled: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "/nowhere")
    monkeypatch.setenv("PGDATABASE", "nothing")
    ended = labeled.call("run", "sample", "--dry-run", "--set", f"label={HOSTILE}")
    assert ended.status == 0, ended.err
    assert "VALUES ('x''); DROP TABLE wishlist_items;--'), ('1');" in ended.out
    assert ended.out.endswith("-- dry run: connected to nothing, ran nothing\n")
    assert not (labeled.root / ".pgrehearse").exists()


def test_a_hostile_label_is_a_label(labeled: Bench, staging: Database) -> None:
    staging.execute("CREATE TABLE wishlist_items ()")
    ended = labeled.call("run", "sample", "--yes", "--dsn", staging.dsn, "--set", f"label={HOSTILE}")
    assert ended.status == 0, ended.err
    assert staging.trace() == [HOSTILE, "1"]
    assert staging.execute("SELECT to_regclass('wishlist_items')::text") == [("wishlist_items",)]


@pytest.mark.parametrize("value", ["soon", "0", "0ms", "-1"])
def test_lock_timeout_is_always_set(bench: Bench, staging: Database, value: str) -> None:
    bench.runbook(["INSERT INTO trace (note) VALUES ('one');"])
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, f"--lock-timeout={value}")
    assert ended.status == 69
    assert "--lock-timeout was refused" in ended.err
    assert "write it as 2s or 500ms" in ended.err
    assert staging.trace() == []


PYTHON = """```python
import psycopg

with psycopg.connect() as connection:
    for name in ("lock_timeout", "work_mem"):
        connection.execute("INSERT INTO trace (note) SELECT current_setting(%s)", [name])
```"""


def test_sql_and_python_have_the_lock_timeout(
    bench: Bench, staging: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=77MB")
    bench.runbook(["INSERT INTO trace (note) SELECT current_setting('lock_timeout');", PYTHON])
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, "--lock-timeout", "345ms")
    assert ended.status == 0, ended.err
    assert staging.trace() == ["345ms", "345ms", "77MB"]


def test_a_run_without_attempts_is_refused(labeled: Bench) -> None:
    ended = labeled.call("run", "sample", "--attempts", "0", "--set", "label=x")
    assert ended.status == 2
    assert "--attempts" in ended.err


def test_a_log_that_cannot_be_written(bench: Bench, staging: Database) -> None:
    bench.runbook(["INSERT INTO trace (note) VALUES ('one');"])
    bench.write("file", "")
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, "--log", "file/run.jsonl")
    assert ended.status == 69
    assert "file/run.jsonl: the run log cannot be written: " in ended.err
    assert "next: give --log FILE" in ended.err
    assert staging.trace() == []


def test_phases_run_in_the_order_of_the_runbook_and_once(bench: Bench, staging: Database) -> None:
    note = "INSERT INTO trace (note) VALUES ('{}');"
    bench.runbook([note.format("apply")], back=note.format("back"))
    given = ("verify", "apply", "verify", "preflight")
    arguments = [word for phase in given for word in ("--phase", phase)]
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, *arguments)
    assert ended.status == 0, ended.err
    phases = [event["phase"] for event in bench.logs()[0] if event["event"] == "step"]
    assert phases == ["Preflight", "Apply", "Verify"]
    assert staging.trace() == ["apply"]
    assert bench.call("run", "sample", "--yes", "--dsn", staging.dsn, "--phase", "roll-back").status == 0
    assert staging.trace()[1:] == ["back"]
    assert bench.call("run", "sample", "--phase", "rollback").status == 2
