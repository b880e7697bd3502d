"""What commands show on a real terminal: narrow, without colors, or none at all."""

from __future__ import annotations

import os
import re
import subprocess
import termios
from pathlib import Path

import pytest
from wcwidth import width

from support.bench import Bench
from support.processes import PGREHEARSE, clean_environment
from support.waiting import LIMIT

CHANGE = """\
ALTER TABLE 商品 ADD COLUMN 備考 text;
CREATE INDEX CONCURRENTLY 商品_備考_idx ON 商品 (備考);
"""
DOCUMENT = "---\njupyter:\n  jupytext:\n    main_language: python\n---\n\n# D\n\n```sql\nSELECT 1;\n```\n"


def on_terminal(root: Path, columns: int, *arguments: str, **more: str) -> str:
    """What ``pgrehearse ARGUMENTS`` writes on a terminal of that width, to both outputs."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    environment = clean_environment(**{"TERM": "xterm-256color", **more})
    for name in ("COLUMNS", "LINES"):
        environment.pop(name, None)
    process = subprocess.Popen(
        (*PGREHEARSE, *arguments),
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 4096):
            said += part
    except OSError:  # the end of a terminal is an error on Linux
        pass
    finally:
        os.close(ours)
        process.wait(timeout=LIMIT)
    return said.decode()


@pytest.mark.parametrize(
    ("columns", "form"),
    [
        pytest.param(40, r'^locks +"商品": ACCESS', id="40, each row a list"),
        pytest.param(60, r'^locks +"商品": ACCESS', id="60, each row a list"),
        pytest.param(80, r"^line +statement +locks +.* safe way\r$", id="80, a table"),
    ],
)
def test_xray_fits_a_narrow_terminal(bench: Bench, columns: int, form: str) -> None:
    bench.write("schema.sql", "CREATE TABLE public.商品 (id bigint PRIMARY KEY);\n")
    bench.write("change.sql", CHANGE)
    said = on_terminal(bench.root, columns, "xray", "change.sql", "--schema", "schema.sql")
    assert "\rmeasured 1 of 2\x1b[K" in said, "progress is shown"
    shown = said.rpartition("\x1b[K")[2]
    lines = shown.partition("note:")[0].split("\r\n")
    assert max(map(width, lines)) <= columns, shown
    assert re.search(form, shown, re.M), shown
    piped = bench.call("xray", "change.sql", "--schema", "schema.sql").out
    assert re.search(r"^line    statement .* safe way$", piped, re.M), "a pipe gets the whole table"


def test_colors_and_progress_are_for_terminals_that_want_them(bench: Bench) -> None:
    bench.write("docs/d.md", DOCUMENT)
    wanted = on_terminal(bench.root, 80, "test", "docs/d.md")
    assert "\r  docs/d.md …\x1b[K\r\x1b[K" in wanted
    assert "\x1b[32mok  \x1b[0m  docs/d.md" in wanted
    plain = on_terminal(bench.root, 80, "test", "docs/d.md", NO_COLOR="1")
    assert "\r\x1b[Kok    docs/d.md" in plain
    dumb = on_terminal(bench.root, 80, "test", "docs/d.md", TERM="dumb")
    assert "\x1b" not in dumb
    assert dumb.startswith("ok    docs/d.md")


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("show", "index-create"),
        ("run", "index-create"),
        ("run", "index-create", "--set", "tabel=x"),
        ("db", "nosuch"),
    ],
)
@pytest.mark.parametrize("columns", [40, 60])
def test_what_is_said_in_words_fits_a_narrow_terminal(
    bench: Bench, columns: int, arguments: tuple[str, ...]
) -> None:
    lines = on_terminal(bench.root, columns, *arguments).split("\r\n")
    texts = [re.sub(r"\x1b\[[0-9]*m", "", line) for line in lines]
    assert len(texts) > 2
    too_wide = [line for line in texts if width(line) > columns and " " in line.strip()]
    assert not too_wide, "only a word may be wider, and stays whole"
