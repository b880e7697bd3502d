"""What stands on a runbook's page as sent, and what is folded behind which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.site.content.published import CellState
from pgrehearse.site.parts.sent import Fold, as_sent, fold
from pgrehearse.text.document import parse

QUERY = "SELECT format('DROP INDEX %I', :'index')\n\\gexec"
CHECK = (
    "SELECT CASE WHEN true THEN 'stop: it is there; drop it' WHEN false THEN 'stop: no, never' ELSE 'ok' END;"
)
FOLDED = "How a run writes this, and leaves out what is done"


def state(source: str, *sent: str, phase: str = "Apply", info: str = "sql", output: str = "") -> CellState:
    text = f"## Apply\n\n## {phase}\n\n```{info}\n{source}\n```\n"
    if output:
        text += f"\n```text\n{output}\n```\n"
    (cell,) = parse(text, Path("sample.md")).cells
    return CellState(cell, "run", majors=("18",), sent=sent)


@pytest.mark.parametrize("phase", ["Apply", "Roll back"])
def test_a_step_shows_what_its_query_wrote(phase: str) -> None:
    one = state(QUERY, "DROP INDEX i", "DROP INDEX j -- last", phase=phase)
    assert as_sent(one) == "DROP INDEX i;\nDROP INDEX j -- last\n;"
    assert fold(one) == Fold(FOLDED)


def test_values_are_in_it() -> None:
    one = state("ALTER TYPE :\"type\" ADD VALUE :'label';", "ALTER TYPE \"mood\" ADD VALUE 'it''s'")
    assert as_sent(one) == "ALTER TYPE \"mood\" ADD VALUE 'it''s';"


@pytest.mark.parametrize(
    "help",
    [
        "CREATE TEMPORARY TABLE probe (n int)",
        "CREATE OR REPLACE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP TABLE IF EXISTS pg_temp.probe",
        "INSERT INTO pg_temp.probe (n) SELECT n FROM shop LIMIT 100",
        "CREATE INDEX wanted ON pg_temp.probe USING btree (n)",
        "SELECT pg_temp.keep_receipt('pg_class', 1, 'x')",
        "DO $do$ BEGIN RAISE EXCEPTION 'stop: rows differ'; END $do$",
    ],
)
def test_help_and_bookkeeping_are_left_out(help: str) -> None:
    assert as_sent(state(QUERY, help, "DROP INDEX i")) == "DROP INDEX i;"
    assert as_sent(state(QUERY, help)) == ""


def test_settings_and_transactions_belong_to_it() -> None:
    sent = ("SET lock_timeout = '2s'", "BEGIN", "DO $do$ BEGIN PERFORM work(); END $do$", "COMMIT")
    assert as_sent(state(QUERY, *sent)) == ";\n".join(sent) + ";"


@pytest.mark.parametrize("source", ["SET lock_timeout = 0;", "ALTER TABLE t ADD c int;"])
def test_what_is_sent_as_it_stands_is_not_shown_twice(source: str) -> None:
    one = state(source, source.rstrip(";"))
    assert (as_sent(one), fold(one)) == ("", None)


@pytest.mark.parametrize("phase", ["Preflight", "Verify"])
def test_a_check_is_folded_behind_what_stops_it(phase: str) -> None:
    one = state(CHECK, CHECK, phase=phase)
    assert fold(one) == Fold("The check. It stops when: it is there; no", check=True)
    assert as_sent(one) == ""


def test_of_many_reasons_three_are_named() -> None:
    one = state("SELECT " + ", ".join(f"'stop: {word}'" for word in "abcdea") + ";", phase="Preflight")
    assert fold(one) == Fold("The check. It stops when: a; b; c; and 2 more", check=True)


def test_a_question_goes_before_reasons() -> None:
    one = state(
        f"-- Is it free? Then go on.\n-- More.\n{CHECK}", phase="Preflight", info='sql snippet="free"'
    )
    assert fold(one) == Fold("Is it free?", "free", check=True)


def test_a_check_among_the_steps_is_one_by_its_answer() -> None:
    answer = " ready\n-------\n ok\n(1 row)"
    assert fold(state(CHECK, CHECK, output=answer)) == Fold(
        "The check. It stops when: it is there; no", check=True
    )
    written = state("SELECT $$DO $do$ BEGIN RAISE EXCEPTION 'stop: rows differ'; END $do$$$\n\\gexec")
    assert fold(written) == Fold("The check. It stops when: rows differ", check=True)


def test_what_only_looks_keeps_its_output_in_sight() -> None:
    assert fold(state("SELECT 1 AS size;", phase="Preflight")) == Fold("The query")


def test_nothing_is_folded_in_a_guide_or_a_rehearsal() -> None:
    (cell,) = parse(f"# Guide\n\n```sql\n{QUERY}\n```\n", Path("guide.md")).cells
    assert fold(CellState(cell, "run", sent=("DROP INDEX i",))) is None
    assert as_sent(CellState(cell, "run", sent=("DROP INDEX i",))) == ""
    assert fold(state(QUERY, "DROP INDEX i", phase="Rehearsal")) is None
