"""The zip of the site, unpacked and opened from a disk: pages, links, the search, a reader's own values."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, expect

from support import ROOT
from support.browsers import Visit
from support.tiny import CONFIG, Tiny
from support.waiting import LIMIT


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first page of an unpacked zip."""
    tiny = Tiny(tmp_path_factory.mktemp("project"))
    tiny.write("mkdocs.yml", CONFIG.replace("plugins:\n", "plugins:\n  - search\n"))
    tiny.build()
    made = [sys.executable, ROOT / "tools" / "offline_site.py", tiny.site]
    subprocess.run(made, check=True, capture_output=True)
    folder = tmp_path_factory.mktemp("disk") / "a folder"
    with ZipFile(tiny.site / "handbook-offline.zip") as zipped:
        zipped.extractall(folder)
    return folder / "handbook" / "index.html"


def test_every_link_leads_to_a_file(browser: Browser, home: Path) -> None:
    with Visit(browser) as visit:
        for name in ("index.html", "guide/index.html", "add-value/index.html"):
            page = visit.to(home.parent / name)
            links = page.eval_on_selector_all(
                "a[href], link[href], script[src]", "all => all.map(one => one.href || one.src)"
            )
            here = {
                link.split("#")[0] for link in links if link.startswith("file:") and "/add-value." not in link
            }
            assert len(here) > 3
            assert [link for link in here if not Path(_path(link)).is_file()] == []
        assert visit.wrong == []


def test_the_search_finds_and_opens(browser: Browser, home: Path) -> None:
    with Visit(browser) as visit:
        page = visit.to(home.parent / "guide" / "index.html")
        page.locator("input[name=query]").click()
        page.keyboard.type("adds a label")
        first = page.locator(".md-search-result__item a.md-search-result__link").first
        expect(first).to_be_visible(timeout=LIMIT * 1000)
        first.click()
        page.wait_for_function("location.pathname.endsWith('/add-value/index.html')", timeout=LIMIT * 1000)
        assert page.locator("h1").inner_text().startswith("Add a value")
        page.get_by_label("label", exact=True).fill("other")
        console = page.locator(".language-console code").first
        expect(console).to_contain_text("label=other", timeout=LIMIT * 1000)
        assert visit.wrong == []


def test_a_runbook_on_paper_has_its_values_and_no_buttons(browser: Browser, home: Path) -> None:
    with Visit(browser) as visit:
        page = visit.to(home.parent / "add-value" / "index.html")
        field = page.get_by_label("label", exact=True)
        field.fill("other")
        pressed = page.locator(".run-downloads, .run-note")
        assert [one.is_visible() for one in pressed.all()] == [True, True]  # the counterproof
        page.emulate_media(media="print")
        assert [one.is_visible() for one in pressed.all()] == [False, False]
        assert field.is_visible()
        assert visit.wrong == []


def _path(link: str) -> str:
    return unquote(urlsplit(link).path)
