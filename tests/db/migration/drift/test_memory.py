"""What was compared and clean is not compared again."""

from __future__ import annotations

import pytest

from pgrehearse.migration.drift import comparisons
from pgrehearse.migration.drift.scratch import Scratch

from .bench import Bench


def test_a_clean_database_is_known_again(applied: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a second server; each change of it, of the files or of the roles is compared anew."""
    assert applied.run("check", "--only", "live")[0] == 0
    made = []

    def counted(*words: object) -> object:
        made.append(words)
        return Scratch(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(comparisons, "Scratch", counted)
    status, text = applied.run("check", "--only", "live")
    assert (status, made) == (0, [])
    assert "live against the migrations: no drift" in text
    applied.sql("COMMENT ON TABLE wish IS 'x'")
    assert applied.run("check", "--only", "live")[0] == 1
    assert applied.run("check", "--only", "live")[0] == 1, "drift is not remembered"
    assert len(made) == 2
    applied.sql("COMMENT ON TABLE wish IS NULL")
    assert applied.run("check", "--only", "live")[0] == 0
    assert len(made) == 2
    applied.write("roles.sql", "-- nothing\n")
    assert applied.run("check", "--only", "live")[0] == 0
    assert len(made) == 3


def test_a_true_schema_file_is_known_again(applied: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it, or a migration, is edited."""
    applied.run("check", "--write-schema")
    assert applied.run("check", "--only", "schema", database=False)[0] == 0

    def refused(*words: object, **more: object) -> object:
        raise AssertionError("it was compared again")

    with monkeypatch.context() as patch:
        patch.setattr(comparisons, "Scratch", refused)
        assert applied.run("check", "--only", "schema", database=False)[0] == 0
    text = (applied.folder / "db" / "schema.sql").read_text("utf-8")
    applied.write("schema.sql", text.replace("title text NOT NULL", "title text"))
    for _ in range(2):
        assert applied.run("check", "--only", "schema", database=False)[0] == 1
