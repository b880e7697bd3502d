"""The built site in a browser: search, accessibility, phones. `make pages` runs it after `make site`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browsers import DESK, PHONE, Visit, too_wide, violations
from support.sites import QUERIES, pages, serving
from support.waiting import LIMIT

#: The variable that says where the built site is.
SITE = "PGREHEARSE_BUILT_SITE"
#: Pixels from the top within which a page of a reader in a hurry has its first query.
_FIRST_QUERY = 900
#: How long a page may be on a phone.
_SCREENS = 15
#: A page that is folded on a phone.
_FOLDED = "reference/promotion/"
#: One page of each kind; `make pages EVERY=1` looks at all.
KINDS = (
    "",
    "stuck/",
    "stuck/lock-timeout/",
    "guides/safe-changes/",
    "runbooks/index-create/",
    "reference/errors/",
)
EVERY = bool(os.environ.get("EVERY"))


@pytest.fixture(scope="module")
def folder() -> Path:
    if SITE not in os.environ:
        pytest.skip("no built site is named (make pages, after make site)")
    return Path(os.environ[SITE])


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serving(folder) as address:
        yield address


def found_first(page: Page, query: str) -> str:
    """The address of what the search puts first, relative to the site; empty when it finds nothing."""
    box, said = page.locator("input[name=query]"), page.locator(".md-search-result__meta")
    box.fill("")
    box.press("End")  # the theme listens to keys
    expect(said).to_have_text("Type to start searching", timeout=LIMIT * 1000)
    box.fill(query)
    box.press("End")
    expect(said).to_have_text(re.compile("matching document"), timeout=LIMIT * 1000)
    first = page.locator(".md-search-result__item a.md-search-result__link").first
    address = first.get_attribute("href") if first.count() else ""
    return urlsplit(address or "").path.strip("./")


def test_the_right_page_comes_first(browser: Browser, url: str) -> None:
    with Visit(browser) as visit:
        page = visit.to(f"{url}/")
        page.locator("input[name=query]").click()
        found = {query: found_first(page, query) for query in [*QUERIES, "zzyzzx"]}
        assert found.pop("zzyzzx") == ""
        assert {query: first for query, first in found.items() if first != QUERIES[query]} == {}
        assert visit.wrong == []


@pytest.mark.parametrize(("size", "dark"), [(DESK, False), (PHONE, True), (DESK, True), (PHONE, False)])
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(
    browser: Browser, url: str, folder: Path, size: tuple[int, int], dark: bool
) -> None:
    wrong = {}
    with Visit(browser, size, dark=dark) as visit:
        for name in pages(folder) if EVERY else KINDS:
            page = visit.to(f"{url}/{name}")
            found = violations(page)
            if wide := too_wide(page):
                found.append(f"{wide} px wider than the window")
            if found:
                wrong[name] = found
        assert visit.wrong == []
    assert wrong == {}


def test_an_example_of_a_status_page_is_there(browser: Browser, url: str) -> None:
    with Visit(browser) as visit:
        page = visit.to(f"{url}/guides/what-a-red-cell-means/")
        page.locator("a[href='example.html']").click()
        page.wait_for_url("**/example.html")
        levels = set(page.locator("td .level").all_inner_texts())
        assert {level.split()[-1] for level in levels} == {"attention", "unknown"}
        assert "only in live: index by_hand" in page.locator("main").inner_text()
        assert violations(page) == []
        assert visit.wrong == []
        page.locator("text=What “drift” means").first.click()
        page.wait_for_url(f"{url}/guides/what-a-red-cell-means/#drift")


def test_no_page_has_a_heading_without_text(folder: Path) -> None:
    """What axe would say of every page, asked of all of them at once."""
    empty = re.compile(r"<(th|h[1-6]|button)\b[^>]*>\s*</\1>")
    found = {name: empty.findall((folder / name / "index.html").read_text("utf-8")) for name in pages(folder)}
    assert {name: what for name, what in found.items() if what} == {}
    assert empty.search('<th scope="row"> </th>')


def test_who_is_in_a_hurry_finds_a_query_on_the_first_screen(
    browser: Browser, url: str, folder: Path
) -> None:
    with Visit(browser) as visit:
        tops = {}
        for name in pages(folder):
            if name.startswith("stuck/") and name != "stuck/":
                page = visit.to(f"{url}/{name}")
                pasted = page.locator("p:has(strong)", has_text=re.compile("^Paste this")).first
                tops[name] = pasted.evaluate(
                    "one => { let next = one.nextElementSibling;"
                    " while (!next.matches(':has(pre), pre')) next = next.nextElementSibling;"
                    " return next.querySelector('pre').getBoundingClientRect().top + scrollY }"
                )
        assert tops
        assert {name: top for name, top in tops.items() if top > _FIRST_QUERY} == {}


#: What is cut on paper, for paper does not scroll.
_CUT = (
    "() => [...document.querySelectorAll('article :is(pre, code, table, textarea, .md-typeset__scrollwrap)')]"
    ".filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth)"
    ".map(one => `${one.className} ${one.textContent.trim().slice(0, 60)}`)"
)
#: Pixels between the margins of A4.
_PAPER = (718, 1000)


@pytest.mark.parametrize(
    "name", ["stuck/subscription-stopped/", "stuck/table-is-locked/", "runbooks/index-create/"]
)
def test_paper_has_no_buttons_and_nothing_folded_or_cut(browser: Browser, url: str, name: str) -> None:
    with Visit(browser, _PAPER) as visit:
        page = visit.to(f"{url}/{name}")
        buttons = page.locator(".md-code__button, .run-downloads a, .run-version select, button")
        page.locator(".md-code__button").first.wait_for()  # the counterproof: on the screen they are there
        assert page.locator("article details:not([open])").count() > 0
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert not any(button.is_visible() for button in buttons.all())
        assert page.locator("article details:not([open])").count() == 0
        # The list of tables a runbook was tried on is pages long: on paper its sum is enough.
        tried = page.locator("details.run-tried")
        assert tried.count() == name.startswith("runbooks/")
        assert all(one.locator("summary").is_visible() for one in tried.all())
        assert not any(one.locator("table").is_visible() for one in tried.all())
        assert page.evaluate(_CUT) == []


#: Words of a chart that stand outside of it, where nothing is drawn.
_OUTSIDE = (
    "() => [...document.querySelectorAll('svg.run-time text')].filter(one => {"
    " const box = one.getBBox(), all = one.ownerSVGElement.viewBox.baseVal;"
    " return box.width && (box.x < all.x - 0.5 || box.x + box.width > all.x + all.width + 0.5) })"
    ".map(one => one.textContent)"
)
#: Tables as wide as a page may be, and pages with charts.
_WIDE = ("reference/foreign-tables/", "reference/locks/", "reference/environments/", "reference/faults/")
_CHARTS = ("guides/live-traffic/", "runbooks/enum-remove-value/")


def test_nothing_is_cut_on_paper_and_no_word_of_a_chart(browser: Browser, url: str, folder: Path) -> None:
    wrong = {}
    with Visit(browser, _PAPER) as visit:
        for name in pages(folder) if EVERY else (*KINDS, *_WIDE, *_CHARTS):
            page = visit.to(f"{url}/{name}")
            page.emulate_media(media="print")
            page.evaluate("dispatchEvent(new Event('beforeprint'))")
            if cut := [*page.evaluate(_CUT), *page.evaluate(_OUTSIDE)]:
                wrong[name] = cut
        assert wrong == {}
        # The counterproof: what is too wide is seen.
        page = visit.to(f"{url}/{_CHARTS[-1]}")
        page.add_style_tag(content="table, .run-time text { font-size: 90px !important }")
        assert page.evaluate(_OUTSIDE) != []


def test_all_runbooks_of_the_table_of_shapes_are_in_sight(browser: Browser, url: str) -> None:
    with Visit(browser) as visit:
        table = visit.to(f"{url}/reference/foreign-tables/").locator("table.run-zoo")
        hidden = "one => one.scrollWidth - one.clientWidth"
        assert table.evaluate(hidden) <= 1
        cell = table.locator("tbody td").first
        assert cell.evaluate("one => getComputedStyle(one).verticalAlign") == "middle"
        visit.page.add_style_tag(content=".run-zoo td { min-width: 5rem }")
        assert table.evaluate(hidden) > 1


def screens(page: Page) -> float:
    """How many screens long the page is, as it stands."""
    return round(float(page.evaluate("document.documentElement.scrollHeight / innerHeight")), 1)


def opened(page: Page) -> float:
    """How many screens long the page is when every folded section is open: what somebody reads."""
    page.evaluate("document.querySelectorAll('.fold-section').forEach(one => { one.open = true })")
    return screens(page)


def test_no_guide_is_longer_than_fifteen_screens_of_a_phone(browser: Browser, url: str, folder: Path) -> None:
    """A guide is split, not folded. A runbook is one procedure, a reference is looked up: those may fold."""
    with Visit(browser, PHONE) as visit:
        guides = [name for name in pages(folder) if name.startswith(("guides/", "stuck/"))]
        long = {name: many for name in guides if (many := opened(visit.to(f"{url}/{name}"))) > _SCREENS}
        assert guides
        assert long == {}, "too long, or without the fonts of `make browser`"
        assert visit.wrong == []


def test_a_reference_longer_than_fifteen_screens_is_folded(browser: Browser, url: str, folder: Path) -> None:
    """A link into a folded section opens it; on a desk nothing is folded."""
    with Visit(browser, PHONE) as visit:
        many = {
            name: screens(visit.to(f"{url}/{name}"))
            for name in (pages(folder) if EVERY else (*KINDS, _FOLDED, "reference/locks/"))
        }
        assert {name: one for name, one in many.items() if one > _SCREENS} == {}
        page = visit.to(f"{url}/{_FOLDED}")
        closed = page.locator("article details.fold-section:not([open]) h3[id]").first
        anchor = closed.get_attribute("id")
        page.evaluate("anchor => { location.hash = anchor }", anchor)
        expect(page.locator(f"h3[id='{anchor}']")).to_be_in_viewport(timeout=LIMIT * 1000)
        assert opened(page) > _SCREENS  # the counterproof: the count of open pages sees it
        assert violations(page) == []
        assert visit.wrong == []
    with Visit(browser) as visit:
        assert visit.to(f"{url}/{_FOLDED}").locator(".fold-section").count() == 0
