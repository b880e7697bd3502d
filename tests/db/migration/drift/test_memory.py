"""What was compared and clean is not compared again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pgrehearse.migration.drift import made as made_module
from pgrehearse.migration.drift.scratch import Scratch
from pgrehearse.servers import remembered
from pgrehearse.text.migration_files import Migration

from .bench import Bench, parts


def test_a_clean_database_is_known_again(applied: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a second server; each change of it, of the files or of the roles is compared anew."""
    assert applied.run("check", "--only", "live")[0] == 0
    made = []

    def counted(*words: object) -> object:
        made.append(words)
        return Scratch(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(made_module, "Scratch", counted)
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
        patch.setattr(made_module, "Scratch", refused)
        assert applied.run("check", "--only", "schema", database=False)[0] == 0
    text = (applied.folder / "db" / "schema.sql").read_text("utf-8")
    applied.write("schema.sql", text.replace("title text NOT NULL", "title text"))
    for _ in range(2):
        assert applied.run("check", "--only", "schema", database=False)[0] == 1


def test_what_is_made_once_is_known_when_it_differs_too(
    applied: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drift is compared again, and nothing is carried out for it; both comparisons share what is made."""
    applied.run("check", "--write-schema")
    text = (applied.folder / "db" / "schema.sql").read_text("utf-8")
    applied.write("schema.sql", text.replace("title text NOT NULL", "title text"))
    migrated: list[object] = []
    real = Scratch.migrated

    def counted(scratch: Scratch, migrations: Sequence[Migration]) -> str:
        migrated.append(migrations)
        return real(scratch, migrations)

    monkeypatch.setattr(Scratch, "migrated", counted)
    assert parts(applied)["schema"]["drift"] is True
    assert len(migrated) == 2, "for what they make, and for its form after a restore"
    applied.write("schema.sql", text.replace("title text NOT NULL", "title varchar"))
    assert parts(applied)["schema"]["drift"] is True
    assert len(migrated) == 2


def test_what_holds_a_password_is_not_kept(applied: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []
    real = remembered.keep

    def counted(kind: str, *words: Any, **more: Any) -> None:
        kept.append(kind)
        real(kind, *words, **more)

    monkeypatch.setattr(remembered, "keep", counted)
    third = (
        "-- migrate:up\nCREATE FOREIGN DATA WRAPPER away;\nCREATE SERVER far FOREIGN DATA WRAPPER away;\n"
        "CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'a', password 'ours');\n-- migrate:down\n"
    )
    applied.write("migrations/3_far.sql", third)
    assert applied.run("up")[0] == 0
    assert parts(applied, "--only", "live")["drift"] is False
    assert kept == ["drift"]


def test_what_is_remembered_is_not_believed_after_an_edit(
    applied: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An answer that somebody changed, or that a disk did, would hide drift."""
    monkeypatch.setattr(remembered, "subdirectory", lambda kind: tmp_path / "cache" / kind)
    assert applied.run("check", "--only", "live")[0] == 0
    applied.sql("ALTER TABLE wish ADD extra int")
    assert applied.run("check", "--only", "live")[0] == 1
    for file in (tmp_path / "cache" / "made").iterdir():
        text = file.read_text("utf-8")
        assert "title text NOT NULL" in text
        hidden = text.replace("title text NOT NULL", "title text NOT NULL,\\n    extra integer")
        file.write_text(hidden, "utf-8")
    assert applied.run("check", "--only", "live")[0] == 1
