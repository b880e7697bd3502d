"""What undoes drift is shown; drift that is known fails nothing."""

from __future__ import annotations

import json
from pathlib import Path

from pgrehearse.schema import client_programs

from .bench import Bench


def test_what_is_shown_undoes_it(applied: Bench) -> None:
    """By ``--undo`` and psql, with roles and settings among it; then the check is clean."""
    applied.sql(
        "ALTER TABLE wish ADD CONSTRAINT short CHECK (length(title) < 9)",
        "DROP INDEX wish_title_idx",
        "GRANT DELETE ON wish TO teller",
        "ALTER ROLE teller CREATEDB",
        'CREATE ROLE "to FROM (TO x)"',
        'GRANT "to FROM (TO x)" TO teller',
        f"ALTER DATABASE {applied.name} SET work_mem = '8MB'",
    )
    try:
        status, text = applied.run("check", "--only", "live", "--undo", "undo.sql")
        assert status == 1
        assert "to undo it; carried out on a copy" in text
        script = Path("undo.sql").read_text("utf-8")
        assert "-- not written" not in script
        done = client_programs.run("psql", applied.dsn, "-X", "-1", "-v", "ON_ERROR_STOP=1", "-f", "undo.sql")
        assert done[0] == 0, done
        assert applied.run("check", "--only", "live")[0] == 0
    finally:
        applied.sql("ALTER ROLE teller NOCREATEDB", 'DROP ROLE "to FROM (TO x)"')


def test_what_would_lose_rows_is_no_statement(applied: Bench) -> None:
    applied.sql("ALTER TABLE wish ADD price int", "CREATE TABLE more (a int)")
    value = json.loads(applied.run("check", "--only", "live", "--json")[1])["live"]["repair"]
    assert value["statements"] == []
    assert [(one["subject"], one["reason"]) for one in value["not_written"]] == [
        ("table", "it would lose the table and its rows"),
        ("column price", "it would lose the column and what is in it"),
    ]
    text = applied.run("check", "--only", "live", "--undo", "undo.sql")[1]
    assert "-- not written for table public.wish, column price: it would lose" in text
    script = Path("undo.sql").read_text("utf-8")
    assert all(line.startswith("--") for line in script.splitlines())


IGNORE = """
[tool.pgrehearse.drift-ignore]
"public.wish_20*" = "the nightly job makes them"
"public.wish_19*" = "it did before"
"""


def test_drift_that_is_known_is_counted_and_fails_nothing(applied: Bench) -> None:
    config = applied.folder / "pyproject.toml"
    config.write_text(config.read_text("utf-8") + IGNORE, "utf-8")
    applied.sql("CREATE TABLE wish_2027 (a int)", "COMMENT ON TABLE wish_2027 IS 'x'")
    status, text = applied.run("check", "--only", "live")
    assert status == 0, text
    assert "differences not counted, by drift-ignore 'public.wish_20*': the nightly job makes them" in text
    assert "drift-ignore 'public.wish_19*' matches nothing" in text
    applied.sql("CREATE TABLE other (a int)")
    status, text = applied.run("check", "--only", "live")
    assert status == 1
    assert "wish_2027" not in text
    assert "table public.other" in text
