"""What a run shows before it asks is what it sends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pgrehearse.execution.runbook.run import carry_out
from pgrehearse.execution.runbook.steps import Step
from support.databases import Database
from support.runbook_requests import Recorder, names, request

MAKES = "SELECT format('CREATE TABLE %I ()', name) FROM wanted WHERE to_regclass(name) IS NULL\n\\gexec"


@dataclass
class Meddling(Recorder):
    """Somebody who changes the database when he is asked for the first time."""

    database: Database | None = None
    change: str = ""

    def asks(self, step: Step) -> bool:
        agreed = super().asks(step)
        if step.cell.phase == "Apply" and self.change:
            assert self.database is not None
            self.database.execute(self.change)
            self.change = ""
        return agreed


def test_what_a_query_generates_is_shown_before_it_is_asked_for(staging: Database, tmp_path: Path) -> None:
    staging.execute("CREATE TABLE wanted AS SELECT 'a' AS name")
    recorder = Recorder()
    assert carry_out(request(staging, tmp_path, MAKES), recorder)
    assert names(recorder.named("sends", "asks")) == [
        ("sends", "Apply 1/1", "CREATE TABLE a ()"),
        ("asks", "Apply 1/1"),
    ]


def test_what_is_there_is_shown_as_nothing_and_not_asked_for(staging: Database, tmp_path: Path) -> None:
    staging.execute("CREATE TABLE wanted AS SELECT 'trace' AS name")
    recorder = Recorder()
    assert carry_out(request(staging, tmp_path, MAKES), recorder)
    assert names(recorder.named("sends", "asks")) == [("sends", "Apply 1/1")]


@pytest.mark.parametrize("agrees", [True, False])
def test_what_changed_since_it_was_shown_is_shown_and_asked_for_again(
    staging: Database, tmp_path: Path, agrees: bool
) -> None:
    staging.execute("CREATE TABLE wanted AS SELECT 'a' AS name")
    recorder = Meddling(database=staging, change="INSERT INTO wanted VALUES ('b')")

    class Once(Meddling):
        def asks(self, step: Step) -> bool:
            return super().asks(step) and (agrees or len(self.named("sends")) < 2)

    recorder.__class__ = Once
    assert carry_out(request(staging, tmp_path, MAKES), recorder) is agrees
    assert names(recorder.named("sends", "asks")) == [
        ("sends", "Apply 1/1", "CREATE TABLE a ()"),
        ("asks", "Apply 1/1"),
        ("sends", "Apply 1/1", "CREATE TABLE a ()", "CREATE TABLE b ()"),
        ("asks", "Apply 1/1"),
    ]
    assert (staging.one("SELECT to_regclass('a')") is not None) is agrees


def test_less_than_was_shown_is_sent_without_asking(staging: Database, tmp_path: Path) -> None:
    staging.execute("CREATE TABLE wanted AS VALUES ('a'), ('b')")
    staging.execute("ALTER TABLE wanted RENAME column1 TO name")
    recorder = Meddling(database=staging, change="CREATE TABLE b (made int)")
    assert carry_out(request(staging, tmp_path, MAKES), recorder)
    assert len(names(recorder.named("asks"))) == 1
    assert staging.one("SELECT to_regclass('a')") is not None


def test_what_depends_on_the_statements_above_is_shown_when_it_is_due(
    staging: Database, tmp_path: Path
) -> None:
    cell = "CREATE TABLE wanted AS SELECT 'a' AS name;\n" + MAKES
    recorder = Recorder()
    assert carry_out(request(staging, tmp_path, cell), recorder)
    assert names(recorder.named("sends", "asks")) == [
        ("sends", "Apply 1/1", "CREATE TABLE wanted AS SELECT 'a' AS name"),
        ("asks", "Apply 1/1"),
        ("sends", "Apply 1/1", "CREATE TABLE a ()"),
        ("asks", "Apply 1/1"),
    ]


def test_in_a_transaction_it_is_shown_and_nobody_is_kept_waiting(staging: Database, tmp_path: Path) -> None:
    cell = f"BEGIN;\nCREATE TABLE wanted AS SELECT 'a' AS name;\n{MAKES}\nCOMMIT;"
    recorder = Recorder()
    assert carry_out(request(staging, tmp_path, cell), recorder)
    assert [one[0] for one in names(recorder.named("sends", "asks"))] == ["sends", "asks", "sends"]
    assert staging.one("SELECT to_regclass('a')") is not None


def test_looking_in_a_transaction_of_the_runbook_leaves_it_as_it_is(
    staging: Database, tmp_path: Path
) -> None:
    staging.execute("CREATE TABLE wanted AS SELECT 'a' AS name")
    wrong = "SELECT 'SELECT 1' FROM not_there_yet\n\\gexec"
    cells = ("BEGIN;", f"CREATE TABLE not_there_yet (); {wrong}\n{MAKES}", "COMMIT;")
    assert carry_out(request(staging, tmp_path, *cells), Recorder())
    assert staging.one("SELECT to_regclass('a')") is not None
