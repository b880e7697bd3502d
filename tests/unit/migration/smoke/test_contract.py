"""The form of a contract: what is read, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.migration.smoke.contract import Contract, load


def read(tmp_path: Path, text: str) -> Contract:
    path = tmp_path / "smoke.sql"
    path.write_text(text, "utf-8")
    return load(path)


def test_directives_and_the_statements_below_them(tmp_path: Path) -> None:
    contract = read(
        tmp_path,
        """\
-- A free comment.
-- leaves out not null a.*: too many

-- refuses 23514 a_check on a
-- fires touch on "My table"
INSERT INTO b VALUES (1);
INSERT INTO a VALUES (1); -- not a directive: uses nothing

-- default a.n = 1 + 1
-- a free one again
INSERT INTO a DEFAULT VALUES
RETURNING n;
-- labels t: x, y
SELECT :'label'
""",
    )
    first, second, third = contract.entries
    assert [str(d) for d in first.directives] == ["refuses a_check on a", 'fires touch on "My table"']
    assert [d.value for d in first.directives] == ["23514", ""]
    assert [s.line for s in first.statements] == [6, 7]
    assert (second.line, second.directives[0].name, second.directives[0].value) == (9, "a.n", "1 + 1")
    assert third.directives[0].value == "x, y"
    assert [(d.word, d.name, d.value) for d in contract.remarks] == [
        ("leaves out", "not null a.*", "too many")
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\nSELECT 1;", 2, "nothing says what this statement shows"),
        ("-- uses i\nSELECT 1;\n\nSELECT 2;", 4, "nothing says what this statement shows"),
        ("-- refuse 23514 a_check\nSELECT 1;", 2, "nothing says what this statement shows"),
        ("-- refuses a_check\nSELECT 1;", 1, "this `refuses` cannot be read"),
        ("-- leaves out index i:\n", 1, "this `leaves out` cannot be read"),
        ("-- uses i\n", 1, "no statement below `uses`"),
        ("-- returns 1\nSELECT\n-- uses i\n1;", 3, "a directive inside a statement"),
        ("-- returns 1\nCOMMIT;\n", 2, "the whole contract runs in one transaction"),
        ("-- returns 1\nSELECT 1 \\gexec\n", 2, "\\gexec is a command of psql"),
        ("-- labels t: a\nSELECT 'a';\n", 1, "`labels` runs its statement once for each label"),
        ("-- returns 1\nSELECT :'label';\n", 1, "`labels` runs its statement once for each label"),
        ("-- returns 1\nSELECT 'a;\n", 2, "unterminated quote '"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, text)
    assert (caught.value.line, caught.value.next_step is not None) == (line, True)
    assert caught.value.message.startswith(message)


def test_a_directive_that_is_misspelt_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, "-- refuse 23514 a_check\nSELECT 1;")
    assert caught.value.next_step == "write: -- refuses SQLSTATE NAME [on TABLE]"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        load(tmp_path / "smoke.sql")
