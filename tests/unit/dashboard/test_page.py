"""The page of one file: it asks for nothing, shows all, and what others wrote is text."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from pgrehearse.dashboard import page
from pgrehearse.dashboard.drawing import chart, fleet_map
from pgrehearse.dashboard.views import anchor
from pgrehearse.status.drift import Drift, SeenDifference
from pgrehearse.status.fact import Known, Level, Unknown
from pgrehearse.status.fact_table import FACTS
from pgrehearse.status.leftovers import HalfDone, Leftovers
from pgrehearse.status.snapshot import Snapshot, unseen
from support.samples_of_status import AT, VALUES, snapshot
from support.snapshots import place_of

EVIL = "</style><script>alert(1)</script>\"'<img src=x onerror=y>\x1b[2J\u202e"


class Elements(HTMLParser):
    """Every element with its attributes, and whether all that were opened were closed in order."""

    _EMPTY = ("meta", "link", "br", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self._EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.found if "id" in attributes]


def test_an_element_and_one_that_stays_open_are_seen() -> None:
    assert Elements("<p><script>x</script></p>").found[1][0] == "script"
    with pytest.raises(AssertionError):
        Elements("<p><b></p>")


def everything() -> list[Snapshot]:
    """Well, not well, unreachable; and a group."""
    gone = Snapshot(place_of("", position=2), AT, 5.0, unseen(place_of(""), "it is dead", "look"))
    return [snapshot(0), snapshot(1), gone, snapshot(0, "shop_1"), snapshot(1, "shop_2")]


def test_it_asks_for_nothing_and_runs_nothing() -> None:
    found = Elements(page.text(everything(), "https://handbook.example/")).found
    assert {tag for tag, _ in found}.isdisjoint({"script", "link", "img", "iframe", "object", "form", "base"})
    for tag, attributes in found:
        assert not any(name.startswith("on") or name in ("src", "style", "srcset") for name in attributes), (
            tag
        )
        link = attributes.get("href") or ""
        assert link.startswith(("#", "https://handbook.example/guides/what-a-red-cell-means/#")) or not link
    style = page.STYLE.read_text("utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_every_link_leads_somewhere_and_no_place_is_there_twice() -> None:
    elements = Elements(page.text([snapshot(0), snapshot(0, "shop_1"), snapshot(1, "shop_2")]))
    places = elements.ids()
    assert len(places) == len(set(places))
    links = [attributes["href"] for tag, attributes in elements.found if tag == "a"]
    assert {str(link)[1:] for link in links} <= set(places)


@pytest.mark.parametrize("name", FACTS)
def test_what_needs_a_person_stands_there_with_its_next_step(name: str) -> None:
    text = page.text([snapshot(1)])
    for finding in Known(VALUES[name][1], AT, 0.0).findings:
        assert finding.said.split('"')[0].split("'")[0] in text
    assert FACTS[name].title in text


def test_unknown_is_said_with_its_reason_and_age_and_is_never_green() -> None:
    seen = Unknown("may not see it", "GRANT something", AT - timedelta(days=3))
    text = page.text([snapshot(0, drift=seen)])
    assert "may not see it" in text
    assert "GRANT something" in text
    assert "last seen " in text
    cell = text.split("may not see it")[0].rpartition("<td")[2]
    assert 'class="unknown"' in cell
    dead = page.text([Snapshot(place_of(""), AT, 5.0, unseen(place_of(""), "it is dead", "look"))])
    body = dead.partition("<body>")[2]
    assert not re.search(r'class="(?:level |fact )?well"', body)
    assert body.count("it is dead") == 2


def test_what_others_wrote_is_text() -> None:
    snapshots = [
        snapshot(
            0,
            EVIL,
            leftovers=Known(Leftovers((HalfDone(EVIL, EVIL, EVIL),), ()), AT, 0.0),
            now=Unknown(EVIL, EVIL),
        ),
        snapshot(0, drift=Known(Drift((SeenDifference(EVIL, EVIL, EVIL, EVIL, EVIL),)), AT, 0.0)),
    ]
    text = page.text(snapshots)
    elements = Elements(text)
    assert {tag for tag, _ in elements.found}.isdisjoint({"script", "img", "b"})
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("&lt;script&gt;") > 4


def test_a_map_of_ten_thousand_stays_small_and_shows_the_worst_first() -> None:
    levels = [(f"shop_{n}", Level.UNKNOWN if n < 3 else Level.ATTENTION) for n in range(10)]
    made = fleet_map([*levels, *((f"shop_{n}", Level.WELL) for n in range(10, 10_000))])
    assert (made.width, made.height) == (1000, 1000)
    assert [cell.level for cell in made.cells] == [level for _, level in levels]
    assert (made.cells[0].x, made.cells[0].y) == (0, 0)
    assert made.well.count("M") == 9990
    assert len(made.well) < 250_000
    assert fleet_map([]).well == ""


def test_bars_are_as_high_as_what_they_took() -> None:
    (ran,) = VALUES["last"][0].ran  # type: ignore[attr-defined]
    made = chart([ran, ran])
    assert [bar.height for bar in made.bars] == [60, 60]
    assert chart([]).bars == ()


def test_places_of_two_databases_are_never_the_same() -> None:
    labels = ["a/b", "a-b", "a_2f_b", "a b", "a/B", "ä"]
    assert len({anchor(label) for label in labels}) == len(labels)
