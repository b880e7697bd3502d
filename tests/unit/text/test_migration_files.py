"""Migration files: sections, and the line each starts on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.text.migration_files import load, statements
from pgrehearse.text.split import split


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_sections_options_and_lines(tmp_path: Path) -> None:
    text = "-- why\n\n-- migrate:up transaction:false\n\n\n  SELECT 1;\nSELECT 2;\n\n"
    text += "-- migrate:down\nSELECT 3;\n"
    write(tmp_path, "20260105_b.sql", text)
    write(tmp_path, "20260104_a-b.sql", "-- migrate:up\n\nSELECT 1;")
    write(tmp_path, "README.md", "no migration")
    first, second = load(tmp_path)
    assert (first.version, first.name, first.down) == ("20260104", "a-b", None)
    assert (first.up.sql, first.up.line, first.up.transaction) == ("SELECT 1;", 3, True)
    assert (second.up.sql, second.up.transaction) == ("  SELECT 1;\nSELECT 2;", False)
    lines = text.split("\n")
    assert lines[second.up.line - 1] == "  SELECT 1;"
    assert second.down is not None
    assert (lines[second.down.line - 1], second.down.transaction) == ("SELECT 3;", True)


def test_carriage_returns(tmp_path: Path) -> None:
    write(tmp_path, "1_a.sql", b"-- migrate:up transaction:false\r\nSELECT 1;\r\n")
    assert not load(tmp_path)[0].up.transaction


def test_no_folder_no_migrations(tmp_path: Path) -> None:
    assert load(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("a.sql", "-- migrate:up\n", None, "name is digits"),
        ("1_a.sql", "SELECT 1;", 1, "no `-- migrate:up` line"),
        ("1_a.sql", " -- migrate:up\nSELECT 1;", 1, "no mark, and the file has no up part"),
        ("1_a.sql", "-- migrate:up\nA;\n-- migrate:up\nB;", 3, "second `-- migrate:up`"),
        ("1_a.sql", "-- migrate:up\nA;\n-- migrate:down\n-- migrate:down\n", 4, "second `-- migrate:down`"),
        ("1_a.sql", b"-- migrate:up\n\xff", 2, "not UTF-8"),
    ],
)
def test_refused(tmp_path: Path, name: str, text: str | bytes, line: int | None, message: str) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(DocumentError, match=message) as caught:
        load(tmp_path)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert caught.value.next_step


@pytest.mark.parametrize("padding", [0, 500])
def test_statements_are_those_of_the_text_short_or_long(tmp_path: Path, padding: int) -> None:
    folder = tmp_path / "db"
    folder.mkdir()
    many = "INSERT INTO t VALUES ('a;b', (1));\n" * padding
    text = f"-- migrate:up\n{many}/* hint */ SELECT 1 ;\n\nCOMMENT ON TABLE t IS 'é'\n;\n"
    text += "-- migrate:down\nDROP TABLE t"
    (folder / "1_a.sql").write_text(text, "utf-8")
    [migration] = load(folder)
    found = statements(migration, migration.up)
    assert len(found) == padding + 2 and len(found[padding:]) == 2
    assert [(one.sql, one.line) for one in found[-2:]] == [
        ("/* hint */ SELECT 1", padding + 1),
        ("COMMENT ON TABLE t IS 'é'", padding + 3),
    ]
    assert [kind.verb for kind in found.kinds[-2:]] == ["select", "comment"]
    assert list(found) == split(migration.up.sql)
