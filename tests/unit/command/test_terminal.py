"""Tables fit the terminal whatever their texts hold, and are the same everywhere without one."""

from __future__ import annotations

import io
import json
import sys
import textwrap

import click
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wcwidth import width

from pgrehearse.command.terminal import Column, ProgressLine, door, prose, styled, table
from pgrehearse.text import characters

COLUMNS = (Column("line", 6), Column("statement", 38), Column("locks", 30), Column("n", right=True))
ROWS = [
    (
        "3 tx",
        "ALTER TABLE wishlist_items ADD COLUMN note text DEFAULT 'a b'",
        "items: SHARE\nusers: SHARE",
        "1",
    ),
    ("4", "", "", "1,000"),
]


def test_without_a_terminal_it_is_as_wide_as_its_texts() -> None:
    assert table(COLUMNS, ROWS, within=None, rule=True) == (
        "line    statement                               locks                               n\n"
        "------  --------------------------------------  ------------------------------  -----\n"
        "3 tx    ALTER TABLE wishlist_items ADD COLUMN   items: SHARE                        1\n"
        "        note text DEFAULT 'a b'                 users: SHARE\n"
        "4                                                                               1,000"
    )


def test_a_terminal_that_is_wide_enough_shows_the_same() -> None:
    assert table(COLUMNS, ROWS, within=200) == table(COLUMNS, ROWS, within=None)


def test_the_widest_column_gives_way_first() -> None:
    assert table(COLUMNS, ROWS, within=60, rule=True) == (
        "line    statement              locks                       n\n"
        "------  ---------------------  ----------------------  -----\n"
        "3 tx    ALTER TABLE            items: SHARE                1\n"
        "        wishlist_items ADD     users: SHARE\n"
        "        COLUMN note text\n"
        "        DEFAULT 'a b'\n"
        "4                                                      1,000"
    )


def test_each_row_is_a_list_where_even_the_words_do_not_fit() -> None:
    assert table(COLUMNS, ROWS, within=34) == (
        "line       3 tx\n"
        "statement  ALTER TABLE\n"
        "           wishlist_items ADD\n"
        "           COLUMN note text\n"
        "           DEFAULT 'a b'\n"
        "locks      items: SHARE\n"
        "           users: SHARE\n"
        "n          1\n"
        "\n"
        "line       4\n"
        "n          1,000"
    )


def test_wide_combined_and_joined_characters_are_counted_as_shown() -> None:
    rows = [("日本語の表", "x"), ("e\u0301te\u0301", "x"), ("👩\u200d👩\u200d👧 🇩🇪", "x"), ("abc", "x")]
    lines = table((Column("name"), Column("n")), rows, within=None).split("\n")
    assert {width(line) for line in lines[1:]} == {len("日本語の表") * 2 + 3}, "every x stands in one column"
    narrow = table((Column("name"), Column("n")), [("日本語の表 日本語の表", "x")], within=14)
    assert max(map(width, narrow.split("\n"))) <= 14


def test_what_would_move_the_cursor_is_spelled() -> None:
    found = table((Column("a"),), [("\x1b[2Jx\ry\u202e",)], within=None)
    assert found == "a\n\\x1B[2Jx\\x0Dy\\u202E"


def test_colors_take_no_room() -> None:
    columns = (Column("a", 8), Column("b"))
    plain = table(columns, [("failed", "x"), ("passed", "y")], within=None)
    colored = table(columns, [("failed", "x"), ("passed", "y")], within=None, colors={"failed": "red"})
    assert colored == plain.replace("failed", styled("failed", fg="red"))


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


#: What notices, errors, names, comments, rows and files could hold: colors, hyperlinks, the clipboard, a line
#: written over, another direction.
POWERS = [
    "\x1b[2J",
    "\x1b[8m",
    "\x1b]8;;http://x\x07",
    "\x1b]52;c;eA==\x1b\\",
    "\x9b2K",
    "ok\rFAIL",
    "a\u202eb",
    "\x08",
]


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("stream", [_Terminal, io.StringIO])
def test_text_of_others_has_no_power(
    monkeypatch: pytest.MonkeyPatch, power: str, stream: type[io.StringIO]
) -> None:
    out, err = stream(), stream()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with door():
        click.echo(f"{styled('FAIL', fg='red')} said {power}", color=True)
        click.echo(f"error: {power}", err=True, color=True)
        click.echo(styled(power, bold=True), color=True)
        with ProgressLine(sys.stderr) as progress:
            progress.say(f"measuring {power}")
    ours = (("\x1b[31m", ""), ("\x1b[1m", ""), ("\x1b[0m", ""), ("\r", ""), ("\x1b[K", ""))
    shown = out.getvalue() + err.getvalue()
    assert ("\x1b[31mFAIL\x1b[0m" in shown) == (stream is _Terminal)
    for code, nothing in ours:
        shown = shown.replace(code, nothing)
    assert characters.visible(shown) == shown
    assert shown.count(characters.visible(power)) >= 3


def test_json_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    value = {"said": "".join(map(chr, range(0x180))) + "\u202e\u2066\ufeff"}
    with door():
        click.echo(json.dumps(value))
    assert json.loads(out.getvalue()) == value


TEXT = st.text(st.sampled_from("ab- 日e\u0301👩\u200d\x1b\t\n[]"), max_size=60)


@settings(derandomize=True, database=None, deadline=None, max_examples=150)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT), max_size=4), st.sampled_from([40, 60, 80]))
@example([("", "a" * 100, "", "")], 40)
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, ...]], within: int) -> None:
    lines = table(COLUMNS, rows, within=within).split("\n")
    assert max(map(width, lines)) <= within
    assert not any("\x1b" in line or line != line.rstrip(" ") for line in lines)
    shown = "".join("".join(lines).split())
    assert all(
        "".join(text.replace("\x1b", "\\x1B").split()).count("b") <= shown.count("b")
        for row in rows
        for text in row
    )


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(st.text(st.sampled_from("abc- "), max_size=90))
def test_ascii_is_broken_as_the_standard_library_does(text: str) -> None:
    found = table((Column("", 20),), [(text,)], within=None).split("\n")[1:]
    longest = max([20, *map(len, text.split())])
    expected = textwrap.wrap(text, longest, break_on_hyphens=False) or [""]
    assert [line.strip() for line in found] == [line.strip() for line in expected]


@pytest.mark.parametrize(
    ("text", "within", "lines"),
    [
        (
            "error: a name is gone\n  next: look at it",
            12,
            ["error: a", "  name is", "  gone", "  next:", "    look at", "    it"],
        ),
        ("  log /a/path/that/is/too/long now", 12, ["  log", "    /a/path/that/is/too/long", "    now"]),
        ("日本語 日本語 x", 10, ["日本語", "  日本語 x"]),
        ("short\n\n" + " " * 30, 12, ["short", "", ""]),
        ("it fits here", 12, ["it fits here"]),
        ("it never fits " * 9, None, ["it never fits " * 9]),
    ],
)
def test_prose_breaks_between_words_and_keeps_its_indent(
    text: str, within: int | None, lines: list[str]
) -> None:
    assert [line.rstrip(" ") for line in prose(text, within).split("\n")] == [
        line.rstrip(" ") for line in lines
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    with ProgressLine(stream := Terminal()) as progress:
        progress.say("measured 1 of 2")
        progress.say("\x1b[2J" + "x" * 100)
    said = stream.getvalue()
    assert said == "\rmeasured 1 of 2\x1b[K\r\\x1B[2J" + "x" * 12 + "\x1b[K\r\x1b[K"


@pytest.mark.parametrize(("stream", "term"), [(io.StringIO(), "xterm"), (Terminal(), "dumb")])
def test_progress_is_silent(stream: io.StringIO, term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    with ProgressLine(stream) as progress:
        progress.say("measured 1 of 2")
    assert stream.getvalue() == ""
