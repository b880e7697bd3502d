"""The SQL texts: all can be read, and no search path can put other catalogs in place of PostgreSQL's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pgrehearse import queries

FILES = sorted(Path(queries.__file__).parent.glob("*.sql"))
VALUES: dict[str, dict[str, int | str]] = {
    "ddl_log": {"lock_class": 1, "lock_object": 2},
    "no_remains": {"condition": "true"},
    "note_steps": {"user": "'me'", "count": 1, "rows": "(1, 1, 1, 1, 'Apply', '', 'done', false, asked)"},
    "own_tables": {"schemas": "'{}'", "tables": "'{}'"},
    "rolled_back": {"runbook": "'x.md'"},
    "run_blockers": {"pid": 1},
    "run_names": {"given": "'[]'"},
    "run_progress": {"pid": 1},
    "run_relations": {"given": "'[]'"},
    "smoke_objects": {"defined": "true"},
    "status_busy": {"runner": 1, "runs": 2},
    "status_changes": {"runner": 1, "runs": 2, "migrations": 3},
    "status_runs": {"runs": 1},
    "session_checked": {"wanted": "'{}'"},
    "session_only": {"spared": "'{}'", "said": "refused"},
    "session_remade": {"wanted": "'{}'"},
    "session_quiet": {"state": "'SELECT 1'"},
    "session_state": {"beginning": "'{}'", "custom": "'{}'", "lock_class": 1},
}
#: A catalog or a function by its name alone. What a function says in its body has a search path of its own.
BARE = re.compile(
    r"(?:FROM|JOIN) pg_(?!catalog\.)\w+|(?<![.\w'])pg_(?:get|index|class)\w*\(|::(?:reg\w+|text|oid)\b"
)
BODY = re.compile(r"\$body\$.*?\$body\$", re.S)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_text_can_be_read(file: Path) -> None:
    sql = queries.text(file.stem, **VALUES.get(file.stem, {})).decode()
    assert "{application" not in sql and "{brought" not in sql
    assert BARE.findall(BODY.sub("", sql)) == []


def test_bare_names_are_found() -> None:
    """The negative control of the pattern."""
    said = "SELECT pg_get_expr(a::text) FROM pg_class JOIN pg_catalog.pg_index"
    assert BARE.findall(said) == ["pg_get_expr(", "::text", "FROM pg_class"]


def test_a_word_that_nobody_gives_is_an_error() -> None:
    with pytest.raises(KeyError, match="lock_class"):
        queries.text("ddl_log")
