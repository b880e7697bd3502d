"""What a reader's browser has to do for a page of the built site: bytes, and work until it answers.

    python benchmarks/pages.py [SITE] [--pages 8] [--slow 4] [--json FILE]

Of the longest pages and the home page. ``kb`` is all that a first visit loads, each file compressed by gzip,
without the search index, which is loaded when somebody searches. ``interactive_seconds`` is the processor
time of the page's main thread from its beginning until it has been idle for a second, times ``--slow``: what
a phone needs whose processor is so many times slower. Other load on this machine does not count.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Response

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from run import conditions  # noqa: E402

from pgrehearse import files  # noqa: E402
from support.browsers import PHONE, Visit, driven  # noqa: E402
from support.sites import pages, serving  # noqa: E402

_IDLE = 1000  # ms without work, after which a page answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("site", type=Path, nargs="?", default=ROOT / "site")
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--slow", type=float, default=4.0)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_args()
    site: Path = arguments.site
    longest = sorted(pages(site), key=lambda name: -(site / name / "index.html").stat().st_size)
    found: dict[str, Any] = {}
    with serving(site) as url, driven() as browser:
        for name in ["", *(one for one in longest if one)][: arguments.pages + 1]:
            kilobytes = loaded(browser, f"{url}/{name}")
            seconds = min(busy(browser, f"{url}/{name}") for _ in range(3)) * arguments.slow
            found[name or "home"] = {"kb": kilobytes, "interactive_seconds": round(seconds, 2)}
            print(name or "home", json.dumps(found[name or "home"]), flush=True)
    if arguments.json:
        files.write_json(arguments.json, {"conditions": conditions(), "slow": arguments.slow, **found})


def loaded(browser: Browser, url: str) -> float:
    """Kilobytes of a first visit."""
    sizes: list[int] = []

    def add(response: Response) -> None:
        if "search_index" not in response.url and response.status == 200:
            sizes.append(len(gzip.compress(response.body(), 6)))

    with Visit(browser) as visit:
        visit.page.on("requestfinished", lambda request: add(request.response()))
        visit.to(url).wait_for_load_state("networkidle")
    return round(sum(sizes) / 1024, 1)


def busy(browser: Browser, url: str) -> float:
    """Seconds of processor time of the main thread until the page is idle."""
    with Visit(browser, PHONE) as visit:
        page = visit.page
        session = visit.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

        def spent() -> float:
            told = session.send("Performance.getMetrics")["metrics"]
            return float(next(one["value"] for one in told if one["name"] == "TaskDuration"))

        visit.to(url)
        before, now = -1.0, spent()
        while now - before > 0.02:
            page.wait_for_timeout(_IDLE)
            before, now = now, spent()
        return now


if __name__ == "__main__":
    main()
