"""The reader's PostgreSQL: chosen once, remembered on the next page, also on a disk; all without scripts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Page

from pgrehearse.majors import SUPPORTED, label
from pgrehearse.measurement.evidence import cells
from pgrehearse.measurement.evidence.cells import CellEvidence, DocumentEvidence, StatementEvidence, cell_key
from pgrehearse.measurement.statement.facts import PROBES, Facts
from pgrehearse.text.document import load
from support import ROOT
from support.browsers import DESK, PHONE, Visit, too_wide, violations
from support.sites import serving
from support.tiny import Tiny

PAGE = """\
---
title: Versions
jupyter: {jupytext: {main_language: python}}
---

# Versions

```sql expect="42703"
ALTER TABLE t ALTER gone SET NOT NULL;
```

```text
said before
```

```text title="PostgreSQL 17 and later"
said by 17
```

```text title="PostgreSQL 19 and later"
said by 19
```

```sql needs="19"
SELECT 'for 19';
```

```text
printed by 19
```

```sql until="17"
SELECT 'for 17';
```
"""
STRONG = Facts(locks={"t": "ACCESS EXCLUSIVE"}, probes={"t": dict.fromkeys(PROBES, "waits")})
WEAK = Facts(locks={"t": "SHARE UPDATE EXCLUSIVE"})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with two pages that differ by version, and one that does not."""
    tiny = Tiny(tmp_path_factory.mktemp("project"))
    for name in ("versions", "others"):
        tiny.write(f"docs/{name}.md", PAGE.replace("# Versions", f"# Versions of {name}"))
        first = load(tiny.root / f"docs/{name}.md").cells[0]
        facts = {"15": STRONG, "16": STRONG, "18": WEAK}
        known = StatementEvidence(first.source, facts)
        evidence = DocumentEvidence(f"docs/{name}.md", cells=(CellEvidence(cell_key(first), (known,)),))
        cells.save(tiny.project.evidence, evidence)
    apply = next(cell for cell in load(tiny.root / "runbooks/add-value.md").cells if cell.phase == "Apply")
    cells.save(
        tiny.project.evidence,
        DocumentEvidence("runbooks/add-value.md", cells=(CellEvidence(cell_key(apply), ()),)),
    )
    tiny.record()
    tiny.build()
    return tiny.site


@pytest.fixture(scope="module")
def url(site: Path) -> Iterator[str]:
    with serving(site) as address:
        yield address


def shown(page: Page) -> list[str]:
    """What of the page is seen, of all that depends on the version."""
    marks = [
        "said before",
        "said by 17",
        "said by 19",
        "for 19",
        "printed by 19",
        "for 17",
        "ACCESS",
        "SHARE",
        "not on",
    ]
    text = page.locator("article").inner_text()
    return [mark for mark in marks if mark in text]


def choose(page: Page, major: str) -> None:
    page.get_by_label("PostgreSQL").select_option(major)


ALL = ["said before", "said by 17", "said by 19", "for 19", "printed by 19", "for 17", "ACCESS", "SHARE"]


def test_a_page_shows_what_the_chosen_version_does(browser: Browser, url: str) -> None:
    with Visit(browser) as visit:
        page = visit.to(f"{url}/versions/")
        assert shown(page) == ALL
        seen = {}
        for major in ("15", "18", "19", ""):
            choose(page, major)
            seen[major] = shown(page)
        assert seen == {
            "15": ["said before", "for 17", "ACCESS"],
            "18": ["said by 17", "SHARE"],
            "19": ["said by 19", "for 19", "printed by 19", "not on"],
            "": ALL,
        }
        assert visit.wrong == []


def test_the_choice_is_remembered(browser: Browser, url: str) -> None:
    with Visit(browser) as visit:
        page = visit.to(f"{url}/versions/")
        choose(page, "18")
        page = visit.to(f"{url}/others/")
        assert (page.get_by_label("PostgreSQL").input_value(), shown(page)) == ("18", ["said by 17", "SHARE"])
        choose(page, "")
        page = visit.to(f"{url}/versions/")
        assert (page.get_by_label("PostgreSQL").input_value(), shown(page)) == ("", ALL)
        # What no version knows of was left there by another release.
        page.evaluate("localStorage.setItem('pgrehearse.postgresql', '12')")
        page = visit.to(f"{url}/others/")
        assert (page.get_by_label("PostgreSQL").input_value(), shown(page)) == ("", ALL)
        assert visit.wrong == []


def test_on_a_phone_the_title_has_the_whole_width(browser: Browser, url: str) -> None:
    """Beside the chooser a title was broken into three lines there; on a desk they share a line."""
    ends = "one => one.getBoundingClientRect().bottom"
    begins = "one => one.getBoundingClientRect().top"
    above = {}
    for name, size in (("phone", PHONE), ("desk", DESK)):
        with Visit(browser, size) as visit:
            page = visit.to(f"{url}/versions/")
            chooser, title = page.locator(".run-version"), page.locator("h1")
            above[name] = chooser.evaluate(ends) <= title.evaluate(begins)
            assert not too_wide(page)
            assert visit.wrong == []
    assert above == {"phone": True, "desk": False}


def test_where_nothing_differs_there_is_nothing_to_choose(browser: Browser, url: str) -> None:
    with Visit(browser) as visit:
        assert visit.to(f"{url}/").locator(".run-version").count() == 0


def test_without_scripts_all_versions_are_shown(browser: Browser, url: str) -> None:
    with Visit(browser, script=False) as visit:
        page = visit.to(f"{url}/versions/")
        assert shown(page) == ALL
        assert page.locator(".run-version").count() == 0


def test_it_fits_a_phone_and_can_be_heard(browser: Browser, url: str) -> None:
    for dark in (False, True):
        with Visit(browser, PHONE, dark=dark) as visit:
            page = visit.to(f"{url}/versions/")
            choose(page, "19")
            # The plain theme's own footer is not ours.
            wrong = [one for one in violations(page) if "md-copyright" not in one]
            assert (too_wide(page), wrong) == (0, [])


def test_on_a_disk_too(browser: Browser, site: Path, tmp_path: Path) -> None:
    made = [sys.executable, ROOT / "tools" / "offline_site.py", site]
    subprocess.run(made, check=True, capture_output=True)
    with ZipFile(site / "handbook-offline.zip") as zipped:
        zipped.extractall(tmp_path)
    with Visit(browser) as visit:
        page = visit.to(tmp_path / "handbook" / "versions" / "index.html")
        choose(page, "15")
        page = visit.to(tmp_path / "handbook" / "others" / "index.html")
        assert shown(page) == ["said before", "for 17", "ACCESS"]
        assert visit.wrong == []


def test_the_versions_are_those_of_the_program() -> None:
    script = (ROOT / "src/pgrehearse/site/assets/version.js").read_text(encoding="utf-8")
    (listed,) = re.findall(r"const MAJORS = \{(.*?)\};", script)
    assert dict(re.findall(r'"(\d+)": "(\w+)"', listed)) == {str(one): label(one) for one in SUPPORTED}
