"""The dashboard in a browser, in every state: what it says, and that keyboard, phone and no script do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from pgrehearse.dashboard import page as one_file
from pgrehearse.status.drift import Drift, SeenDifference
from pgrehearse.status.fact import Fact, Known, Unknown
from pgrehearse.status.leftovers import HalfDone, Leftovers
from pgrehearse.status.migrations import Last
from pgrehearse.status.promotions import Promoted
from pgrehearse.status.snapshot import Snapshot, unseen
from support.browsers import DESK, PHONE, Visit, too_wide, violations
from support.samples_of_status import AT, VALUES, snapshot
from support.served import Served
from support.waiting import LIMIT

EVIL = (
    "</title></style><script>hacked = 1; alert(1)</script><img src=x onerror='hacked = 1'>\x1b[2J\u202e&amp;"
)
WAITS = Promoted("staging", True, True, 7, "requested", "rita", AT, waits_for="1 approval by dora or dan")


def known(value: Any) -> Fact:
    return Known(value, AT, 0.001)


def not_well(name: str) -> Fact:
    return known(VALUES[name][1])


def at(name: str, **facts: Fact) -> Snapshot:
    """The environment ``name``: all is well, but for ``facts``."""
    one = snapshot(0, **facts)
    return replace(one, place=replace(one.place, environment=replace(one.place.environment, name=name)))


def gone(one: Snapshot, *, seen: bool) -> Snapshot:
    """It does not answer; it did once, or never."""
    facts = unseen(one.place, "connection refused", "see whether it runs")
    assert all(isinstance(fact, Unknown) for fact in facts.values())
    return replace(
        one, facts={key: replace(fact, last_seen=AT if seen else None) for key, fact in facts.items()}
    )


#: Environment -> its snapshot, its level, and a text that its page holds.
STATES: dict[str, tuple[Snapshot, str, str]] = {
    "healthy": (at("healthy"), "well", "2 applied"),
    "drifted": (at("drifted", drift=not_well("drift")), "attention", "CREATE TABLE a ()"),
    "failed": (at("failed", last=not_well("last")), "attention", "failed"),
    "running": (at("running", now=known(VALUES["now"][0])), "well", "A migration is under way: pid 1"),
    "waits-for-a-lock": (at("waits-for-a-lock", now=not_well("now")), "attention", "pid 2, deploy, psql"),
    "waits-for-approval": (at("waits-for-approval", promotion=known(WAITS)), "attention", "dora or dan"),
    "down": (gone(at("down"), seen=True), "unknown", "last seen"),
    "never-connected": (gone(at("never-connected"), seen=False), "unknown", "never seen"),
    "standby": (at("standby", server=not_well("server")), "attention", "standby"),
    "blind": (at("blind", now=Unknown("vic may not see it", "grant it")), "unknown", "vic may not see it"),
    EVIL: (
        at(EVIL, leftovers=known(Leftovers((HalfDone(EVIL, EVIL, EVIL),), ())),
           drift=known(Drift((SeenDifference(EVIL, EVIL, EVIL, EVIL, EVIL),)))),
        "attention",
        "<script>hacked = 1",
    ),
}  # fmt: skip
FLEET = [
    *(snapshot(0, f"shop_{number}") for number in range(49)),
    gone(snapshot(0, "shop_dead"), seen=True),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """All of them, and a fleet of 50 of which one is dead; nothing changes."""
    served = Served([*(one for one, _, _ in STATES.values()), *FLEET], every=600)
    yield served.url
    served.end()


@pytest.fixture
def served() -> Iterator[Served]:
    """One environment that is well; the test changes it."""
    made = Served([at("shop")])
    yield made
    made.end()


def test_what_is_wrong_is_seen(browser: Browser, tmp_path: Path) -> None:
    """The counterproof of the next tests."""
    page = tmp_path / "bad.html"
    page.write_text(
        "<p style='color: #aaa; width: 2000px'>pale and wide</p><img src='http://192.0.2.1/x.png'>"
        "<script>alert(1); nowhere()</script>"
    )
    with Visit(browser, PHONE) as visit:
        bad = visit.to(page)
        found = " ".join(violations(bad))
        assert "color-contrast x1" in found
        assert "image-alt x1" in found
        assert too_wide(bad) > 1000
        wrong = " ".join(visit.wrong)
        assert "asks http://192.0.2.1/x.png" in wrong
        assert "dialog" in wrong
        assert "nowhere is not defined" in wrong


@pytest.mark.parametrize(("size", "dark"), [(DESK, False), (DESK, True), (PHONE, False), (PHONE, True)])
def test_every_state_says_what_is_and_axe_finds_nothing(
    browser: Browser, url: str, size: tuple[int, int], dark: bool
) -> None:
    with Visit(browser, size, dark=dark) as visit:
        page = visit.to(f"{url}/")
        assert page.title() == "All environments: unknown"
        assert violations(page) == []
        assert too_wide(page) == 0
        rows = page.locator("tbody tr")
        links = []
        for row, (_, level, _) in zip(rows.all(), STATES.values(), strict=True):
            assert row.locator(".level").first.inner_text().split()[-1] == level
            links.append(row.locator("th a").get_attribute("href"))
        if (size, dark) not in ((DESK, False), (PHONE, True)):
            links = []  # the pages of single databases are made of the same pieces
        for link, (_, level, said) in zip(links, STATES.values(), strict=bool(links)):
            page = visit.to(f"{url}/{link}")
            assert page.locator("h2 .level").inner_text().split()[-1] == level
            assert said in page.locator("main").inner_text()
            assert violations(page) == [], link
            assert too_wide(page) == 0, link
        page = visit.to(f"{url}/migration/1")
        assert "failed" in page.locator("main").inner_text()
        assert violations(page) == []
        assert page.evaluate("typeof hacked") == "undefined"
        assert visit.wrong == []


def test_one_dead_of_fifty(browser: Browser, url: str) -> None:
    """The 49 are shown as they are, the dead one first and with its age."""
    with Visit(browser) as visit:
        fleet = visit.to(f"{url}/").locator("section.fleet")
        assert fleet.locator("p").inner_text().split() == ["?", "unknown", "1", "✓", "well", "49"]
        assert fleet.locator("svg").get_attribute("aria-label") == "1 unknown, 0 attention, 49 well"
        assert fleet.locator(".named a").all_inner_texts() == ["shop/shop_dead"]
        fleet.locator(".named a").click()
        visit.page.wait_for_url("**/database/shop/shop_dead")
        assert "last seen" in visit.page.locator("main").inner_text()


def test_the_keyboard_is_enough(browser: Browser, url: str) -> None:
    with Visit(browser) as visit:
        page = visit.to(f"{url}/")
        seen = []
        for _ in range(6):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 16)"))
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert seen[:4] == ["To the content", "All environments", "JSON", "Metrics"]
        assert page.evaluate("document.activeElement.textContent") == "healthy"  # after the table's own stop
        page.keyboard.press("Enter")
        page.wait_for_url("**/database/healthy")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # past what is on every page
        page.wait_for_url("**/database/healthy#main")


def test_it_refreshes_itself_and_keeps_the_place_of_whoever_reads(browser: Browser, served: Served) -> None:
    with Visit(browser) as visit:
        page = visit.to(f"{served.url}/")
        assert page.title() == "All environments: well"
        page.locator("th a").focus()
        served.found = [at("shop", drift=not_well("drift"))]
        expect(page).to_have_title("All environments: attention", timeout=LIMIT * 1000)
        assert page.evaluate("document.activeElement.getAttribute('href')") == "./database/shop"
        assert page.locator("td .level").first.inner_text().split()[-1] == "attention"
        assert visit.wrong == []
        served.end()
        page.wait_for_selector("#lost:not([hidden])")
        assert page.title() == "Status: unknown"
        assert page.locator("body.old").count() == 1
        assert violations(page) == []


def test_it_works_without_javascript(browser: Browser, served: Served) -> None:
    with Visit(browser, script=False) as visit:
        page = visit.to(f"{served.url}/")
        assert page.locator("td .level").first.inner_text().split()[-1] == "well"
        served.found = [at("shop", drift=not_well("drift"))]
        page.locator("td .level.attention").first.wait_for()
        link = page.locator("th a").get_attribute("href")
    with Visit(browser, script=False) as visit:  # a click would race with the page that loads itself again
        page = visit.to(f"{served.url}/{link}")
        page.locator("text=CREATE TABLE a ()").first.wait_for()


@pytest.fixture
def long_names() -> Iterator[Served]:
    ran = replace(VALUES["last"][0].ran[0], name="a_name_that_goes_on_" * 8)
    made = Served([at("a_very_long_name_of_31_letters_", last=known(Last((ran,))))], every=60)
    yield made
    made.end()


def test_long_names_leave_the_table_in_sight(browser: Browser, long_names: Served) -> None:
    """All of a name stands on the database's own page; in the table a row of it would hide the next rows."""
    with Visit(browser, DESK) as visit:
        page = visit.to(f"{long_names.url}/")
        assert page.locator(".wide").first.evaluate("one => one.scrollWidth - one.clientWidth") <= 0
        assert page.locator("tbody tr").evaluate("row => row.getBoundingClientRect().height") < 160
    with Visit(browser, PHONE) as visit:
        page = visit.to(f"{long_names.url}/")
        state = page.locator("tbody tr .level").first.bounding_box()
        assert state is not None
        assert state["x"] + state["width"] < PHONE[0], "the state is seen without a move"


@pytest.fixture
def usual_names() -> Iterator[Served]:
    made = Served([at(name) for name in ("development", "staging", "production")], every=60)
    yield made
    made.end()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_usual_name_is_one_line(browser: Browser, usual_names: Served, size: tuple[int, int]) -> None:
    with Visit(browser, size) as visit:
        page = visit.to(f"{usual_names.url}/")
        names = page.locator("tbody th a").all()
        lines = {name.inner_text(): name.evaluate("one => one.getClientRects().length") for name in names}
        assert lines == {"development": 1, "staging": 1, "production": 1}


@pytest.mark.parametrize(("size", "dark"), [(DESK, False), (PHONE, True)])
def test_the_page_of_one_file(browser: Browser, tmp_path: Path, size: tuple[int, int], dark: bool) -> None:
    place = one_file.write([*(one for one, _, _ in STATES.values()), *FLEET], tmp_path / "status.html")
    with Visit(browser, size, dark=dark) as visit:
        page = visit.to(place)
        assert page.title() == "Status: unknown"
        assert page.locator("section.database").count() == len(STATES) + 1
        whens = page.locator("td.when").all()
        # One line of text each, whatever the width: a moment that wraps makes a row four lines high.
        assert whens
        assert {
            when.evaluate(
                "one => one.firstChild && (() => { const range = document.createRange();"
                " range.selectNodeContents(one); return range.getClientRects().length })()"
            )
            for when in whens
        } == {1}
        assert violations(page) == []
        assert too_wide(page) == 0
        assert page.evaluate("typeof hacked") == "undefined"
        assert visit.wrong == []
