"""The grammar of a migration: marks, options, lines, declarations."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgrehearse.errors import DocumentError
from pgrehearse.text.migration_files import load, statements
from pgrehearse.text.migration_grammar import has_marks, parse
from support.spellings import REFUSED, STRICTER, TAKEN

DETERMINISTIC = settings(derandomize=True, database=None, deadline=None, max_examples=150)
PATH = Path("1_a.sql")
#: Said by what sends the statements, not by what takes the file apart.
IN_A_QUOTE = ("a mark in a string", "a mark in a comment", "a mark in a body")


@pytest.mark.parametrize("name", TAKEN)
def test_what_dbmate_takes(name: str) -> None:
    assert parse(TAKEN[name], PATH).down is not None
    assert has_marks(TAKEN[name])


@pytest.mark.parametrize("name", [*REFUSED, *STRICTER])
def test_what_is_refused_is_refused_with_its_line(name: str, tmp_path: Path) -> None:
    text = {**REFUSED, **STRICTER}[name]
    (tmp_path / "1_a.sql").write_bytes(text.encode())
    with pytest.raises(DocumentError) as caught:
        [migration] = load(tmp_path)
        statements(migration, migration.up)
    assert caught.value.line
    assert caught.value.next_step
    if name in IN_A_QUOTE:
        assert "a `-- migrate:` line inside it begins the other part" in caught.value.next_step


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("a statement above", 1, "above `-- migrate:up` dbmate takes empty lines"),
        ("down above up", 1, "the down part stands above the up part"),
        ("two down parts", 5, "a second `-- migrate:down` line"),
        ("two up parts", 2, "a second `-- migrate:up` line"),
        ("carriage returns only", 1, "a carriage return ends no line for dbmate"),
        ("a mark across lines", 1, "a comment and a word"),
        ("a mistyped down", 3, "no mark, and the file has no down part"),
        ("up in capitals", 1, "no mark, and the file has no up part"),
        ("a byte order mark", 1, "byte order mark"),
        ("plain SQL", 1, "no `-- migrate:up` line"),
    ],
)
def test_what_is_said(name: str, line: int, said: str) -> None:
    with pytest.raises(DocumentError, match=said) as caught:
        parse(REFUSED[name], PATH)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("options", "transaction"),
    [
        ("", True),
        (" transaction:false", False),
        ("\t a:b\ttransaction:false \r", False),
        (" transaction:false transaction:true", True),
        (" transaction:False", True),
        (" transaction:false,", True),
        (" transaction:false:x", True),
        (" transaction", True),
    ],
)
def test_options(options: str, transaction: bool) -> None:
    parts = parse(f"-- migrate:up{options}\nSELECT 1;\n--migrate:down{options}\n", PATH)
    assert parts.up.transaction is transaction
    assert parts.down is not None
    assert parts.down.transaction is transaction


def test_a_part_is_sent_byte_for_byte() -> None:
    """Line feeds in a string are data."""
    parts = parse("-- migrate:up\r\n\r\nSELECT 'a\r\nb';\r\n\r\n-- migrate:down\r\n", PATH)
    assert (parts.up.sql, parts.up.line) == ("SELECT 'a\r\nb';", 3)


def test_a_file_without_down_is_read_and_a_word_is_no_mark() -> None:
    parts = parse("-- Migrate: up to 9 rows\n-- migrate:up\nSELECT 1;\n-- downtime: none\n", PATH)
    assert parts.down is None
    assert not has_marks("-- Migrate: in batches\nSELECT 1;")


def test_declarations() -> None:
    text = (
        "--allow: backfill  Few rows. -- and more\n"
        "  --  breaking:\twriters fail with 23514.\n"
        "-- before: a release\n-- allow:\n--migrate:up\n"
        "SELECT 1; -- allow: scan behind a statement it is none\n"
        "-- not restored: above the down part\n--migrate:down\n"
        "--not restored: labels stay\n-- Breaking: is a sentence\n"
    )
    parts = parse(text, PATH)
    assert [(c.line, c.declares, c.check, c.reason) for c in parts.comments if c.declares] == [
        (1, "allow", "backfill", "Few rows."),
        (2, "breaking", "", "writers fail with 23514."),
        (3, "before", "", "a release"),
        (4, "allow", "", ""),
        (7, "not restored", "", "above the down part"),
        (9, "not restored", "", "labels stay"),
    ]
    assert [c.line for c in parts.comments] == [1, 2, 3, 4, 5, 7, 8, 9, 10]


def test_not_restored_counts_in_the_down_part(tmp_path: Path) -> None:
    text = "-- migrate:up\nSELECT 1;\n{up}-- migrate:down\n{down}SELECT 2;\n"
    (tmp_path / "1_a.sql").write_text(text.format(up="-- not restored: here\n", down=""))
    (tmp_path / "2_b.sql").write_text(text.format(up="", down="--not restored: b stays\n"))
    assert [migration.not_restored for migration in load(tmp_path)] == ["", "b stays"]


LINES = st.lists(
    st.sampled_from(
        [
            "",
            " ",
            "-- c",
            "SELECT 'a;",
            "'",
            "--migrate:up",
            "-- migrate:down x:y",
            "/*",
            "*/",
            "\t-- allow: a b",
        ]
    ),
    max_size=8,
)


@given(LINES, LINES, st.sampled_from(["\n", "\r\n"]))
@DETERMINISTIC
def test_a_part_begins_on_the_line_it_says(before: list[str], after: list[str], ending: str) -> None:
    text = ending.join([*before, "-- migrate:up", *after])
    try:
        parts = parse(text, PATH)
    except DocumentError as error:
        assert error.line
        assert 1 <= error.line <= len(text.split("\n"))
        return
    lines = text.split("\n")
    for section in filter(None, (parts.up, parts.down)):
        if section.sql:
            assert lines[section.line - 1].startswith(section.sql.split("\n")[0])
    assert all(lines[c.line - 1].strip() == c.text for c in parts.comments)
