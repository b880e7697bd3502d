"""Characters that cut, hide or turn text round: refused at every door, spelled where they are shown."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError, PgRehearseError, SetupError
from pgrehearse.execution import seeds
from pgrehearse.execution.runbook.parameters import values_of
from pgrehearse.measurement import xray_steps
from pgrehearse.migration.smoke import contract
from pgrehearse.migration.timing import budgets
from pgrehearse.schema import foreign_sql
from pgrehearse.text import characters, document, migration_files
from pgrehearse.text.characters import raw, read
from pgrehearse.text.project import Project
from pgrehearse.text.snippets import Snippets

BAD = {
    "\0": "U+0000 NUL",
    "\b": "U+0008 BACKSPACE",
    "\r": "U+000D CARRIAGE RETURN",
    "\x1b": "U+001B ESCAPE",
    "\x7f": "U+007F DELETE",
    "\x85": "U+0085 CONTROL CHARACTER",
    "\x9b": "U+009B CONTROL CHARACTER",
    "\xad": "U+00AD SOFT HYPHEN",
    "\u200b": "U+200B ZERO WIDTH SPACE",
    "\u200c": "U+200C ZERO WIDTH NON-JOINER",
    "\u200d": "U+200D ZERO WIDTH JOINER",
    "\u200f": "U+200F RIGHT-TO-LEFT MARK",
    "\u2028": "U+2028 LINE SEPARATOR",
    "\u202e": "U+202E RIGHT-TO-LEFT OVERRIDE",
    "\u2060": "U+2060 WORD JOINER",
    "\u2066": "U+2066 LEFT-TO-RIGHT ISOLATE",
    "\u2800": "U+2800 BRAILLE PATTERN BLANK",
    "\ufe0f": "U+FE0F VARIATION SELECTOR-16",
    "\ufe00": "U+FE00 VARIATION SELECTOR-1",
    "\U0001bca1": "U+1BCA1 SHORTHAND FORMAT CONTINUING OVERLAP",
    "\U0001d159": "U+1D159 MUSICAL SYMBOL NULL NOTEHEAD",
    "\ufeff": "U+FEFF ZERO WIDTH NO-BREAK SPACE",
    "\U000e0041": "U+E0041 TAG LATIN CAPITAL LETTER A",
}
DOORS = {
    "document": ("a.md", "# A\n\n```sql\nSELECT {};\n```\n", document.load),
    "migration": (
        "1_a.sql",
        "-- migrate:up\nSELECT 1;\n\nSELECT {};\n",
        lambda f: migration_files.load(f.parent),
    ),
    "x-rayed file": ("a.sql", "SELECT 1;\n\n\nSELECT {};\n", xray_steps.steps),
    "seed": ("seed.sql", "SELECT 1;\n\n\nSELECT {};\n", lambda f: seeds.load(None, f, 1)),  # type: ignore[arg-type]
    "dump": ("schema.sql", "SELECT 1;\n\n\nSELECT {};\n", foreign_sql.read),
    "smoke contract": ("smoke.sql", "-- query: a\n\n\nSELECT {};\n", contract.load),
    "snippet": (
        "sql/a.sql",
        "SELECT 1;\n\n\nSELECT {};\n",
        lambda f: Snippets(f.parent.parent).text("sql", "a"),
    ),
    "budgets": ("budgets.toml", "\n\n\nmilliseconds = 1 # {}\n", lambda f: budgets.load(f, [])),
    "project": ("pyproject.toml", "[tool.pgrehearse]\n\n\nseed = 'a{}'\n", lambda f: Project.find(f.parent)),
}


@pytest.mark.parametrize("bad", ["\0", "\r", "\u202e"], ids=lambda bad: BAD[bad])
@pytest.mark.parametrize("door", DOORS)
def test_every_door_refuses_them_with_the_line(tmp_path: Path, door: str, bad: str) -> None:
    name, text, enter = DOORS[door]
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.format(f"1 --{bad}, 2").encode())
    with pytest.raises(DocumentError, match="cuts or hides") as caught:
        enter(file)
    assert (caught.value.line, caught.value.message.split(" cuts")[0]) == (4, BAD[bad])


@pytest.mark.parametrize("bad", BAD, ids=BAD.get)
def test_each_is_refused_named_and_spelled(bad: str) -> None:
    found = characters.first(f"one\ntwo{bad}words", crlf=True)
    assert found == characters.Forbidden(2, BAD[bad])
    shown = characters.visible(f"one\ntwo{bad}words")
    assert (characters.first(shown), shown[:7], shown[-5:]) == (None, "one\ntwo", "words")


def test_nothing_of_unicode_that_nobody_sees_is_allowed() -> None:
    allowed = {"\t", "\n", "\u200c", "\u200d"}  # the joiners are looked at with their neighbors
    unseen = (
        chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Zl", "Zp")
    )
    passed = [char for char in unseen if char not in allowed and characters.first(char) is None]
    # signs that stand before digits or around hieroglyphs, and are seen
    assert all(0x0890 <= ord(char) <= 0x08E2 or ord(char) > 0x11000 for char in passed)


@pytest.mark.parametrize(
    "text",
    ["a\tb\n", "naïve – “quoted” 3×5 ✓", "\u0645\u06cc\u200c\u062e\u0648", "\U0001f469\u200d\U0001f4bb"],
)
def test_what_people_write_is_allowed(text: str) -> None:
    assert characters.first(text) is None
    assert characters.visible(text) == text


def test_line_ends_of_other_systems_are_allowed_where_a_door_says_so(tmp_path: Path) -> None:
    assert characters.first("a\r\nb", crlf=True) is None
    assert characters.first("a\r\nb") is not None
    assert characters.first("a\rb", crlf=True) is not None


@pytest.mark.parametrize("bad", ["\0", "\r", "\u2067"])
def test_values_of_parameters_hold_none(bad: str) -> None:
    front = "---\nparameters:\n  a: {description: d, example: x}\n---\n# A\n"
    with pytest.raises(SetupError, match="the value of parameter 'a' holds U"):
        values_of(document.parse(front, Path("a.md")), {"a": f"x{bad}y"})


@pytest.mark.parametrize("key", ["example", "default"])
def test_escapes_of_the_front_matter_give_none(key: str) -> None:
    other = "" if key == "example" else ", example: x"
    front = f'---\nparameters:\n  a: {{description: d, {key}: "x\\u202Ey"{other}}}\n---\n# A\n'
    with pytest.raises(DocumentError, match=f"{key} holds U.202E") as caught:
        document.parse(front, Path("a.md"))
    assert isinstance(caught.value, PgRehearseError) and caught.value.line == 3


@pytest.mark.parametrize("at", [0, 65_534, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize(
    ("what", "name"), [("\0", "U+0000"), ("\u202e", "U+202E"), ("\r", "U+000D"), ("\u200d", "U+200D")]
)
def test_one_is_found_wherever_it_stands_in_a_long_text(at: int, what: str, name: str) -> None:
    text = "x" * 200_000
    found = characters.first(text[:at] + what + text[at:], crlf=True)
    assert found is not None and found.name.startswith(name)


@pytest.mark.parametrize("at", range(65_530, 65_540))
@pytest.mark.parametrize("allowed", ["\r\n", "é\u200dé", "\t"])
def test_what_is_allowed_is_so_wherever_it_stands_in_a_long_text(at: int, allowed: str) -> None:
    assert characters.first("x" * at + allowed + "x" * 70_000, crlf=True) is None


@pytest.mark.parametrize(
    "text", ["\u26a0\ufe0f careful", "1\ufe0f\u20e3", "\u2764\ufe0f\u200d\U0001f525", "\u2801\u28ff"]
)
def test_the_form_of_a_sign_may_be_chosen(text: str) -> None:
    assert characters.first(text) is None
    assert characters.visible(text) == text


@pytest.mark.parametrize("text", ["\u26a0\ufe0f\ufe0f", "1\ufe0f", "a\ufe0f\u20e3", "\ufe0fx", "' \ufe01'"])
def test_but_nothing_may_be_hidden_so(text: str) -> None:
    found = characters.first(text)
    assert found is not None and "VARIATION SELECTOR" in found.name
    assert characters.first(characters.visible(text)) is None


def test_a_selector_where_the_text_is_cut_for_the_search() -> None:
    for before in range(65_530, 65_540):
        assert characters.first("x" * before + "\u26a0\ufe0f" + "1\ufe0f\u20e3") is None
        assert characters.first("x" * before + "\ufe0f") is not None


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PGDMP\x01\x10\x00", "custom format"),
        ("SELECT 1;".encode("utf-16"), "UTF-16"),
        (b"\xfe\xff\x00S", "UTF-16"),
        (b"\x1f\x8b\x08\x00", "gzip"),
    ],
)
def test_what_is_mistaken_for_text_is_named(data: bytes, what: str) -> None:
    with pytest.raises(DocumentError, match=what) as caught:
        characters.decoded(data, Path("a.sql"))
    assert caught.value.next_step


@pytest.mark.parametrize("size", [3 << 30, 3])
def test_no_more_is_read_after_a_nul(tmp_path: Path, size: int) -> None:
    """A file of holes: what it has is not on the disk, and must not be in memory."""
    file = tmp_path / "1_a.sql"
    with file.open("wb") as written:
        written.truncate(size)
    assert len(raw(file)) == min(size, 1 << 20)
    with pytest.raises(DocumentError, match="U\\+0000 NUL"):
        read(file)


def test_a_text_of_several_blocks_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "1_a.sql"
    file.write_bytes(b"x" * (3 << 20) + b"y")
    assert len(raw(file)) == (3 << 20) + 1
    assert len(raw(file, most=5)) == 6
    with pytest.raises(DocumentError, match="more than 5 bytes"):
        read(file, most=5)
