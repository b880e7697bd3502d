"""Each promise on the page about faults names what proves it, and that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from support import ROOT
from support.faults.moments import ALL

PAGE = (ROOT / "docs" / "reference" / "faults.md").read_text("utf-8")
TESTS = {
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^ *def (test_\w+)\(", file.read_text("utf-8"), re.MULTILINE)
}
KINDS = {f"{moment.command}-{moment.fault}" for moment in ALL}


def promises(page: str) -> list[tuple[str, list[str]]]:
    """What happens, and the names in the last column, by row of the table of promises."""
    table = page.split("## What is promised", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("|")][2:]
    return [(row[0].strip(), re.findall(r"`([^`]+)`", row[-1])) for row in rows]


def wrong(page: str) -> Iterator[str]:
    named = set()
    for what, names in promises(page):
        named |= set(names)
        if not names:
            yield f"{what}: nothing proves it"
        yield from (f"{what}: no {name}" for name in names if name not in TESTS | KINDS)
    yield from (f"no promise for {kind}" for kind in sorted(KINDS - named))


def test_every_promise_has_its_tests_and_every_kind_of_moment_its_promise() -> None:
    assert len(promises(PAGE)) > 15
    assert list(wrong(PAGE)) == []


def test_a_test_that_is_gone_is_noticed() -> None:
    assert list(wrong(PAGE.replace("`up-cut`", "`up-rain`"))) == [
        "the network is cut, for both ends or first for one: no up-rain",
        "no promise for up-cut",
    ]
    gone = PAGE.replace("`test_a_build_whose_client_was_killed_ends_with_it`", "`test_nothing`")
    assert [text.split(": ")[1] for text in wrong(gone)] == ["no test_nothing"]
    assert [text for text in wrong(re.sub(r"`build-\w+` ?", "", PAGE)) if "nothing proves" in text]
