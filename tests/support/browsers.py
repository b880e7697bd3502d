"""A real browser that tests drive, what axe says of a page, and whether it is wider than its window."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from support.waiting import LIMIT

__all__ = ["DESK", "PHONE", "Visit", "driven", "too_wide", "violations"]

#: Names of programs, the first that is there is taken.
_NAMES = ("chromium", "chromium-browser", "google-chrome")
DESK = (1366, 900)
PHONE = (390, 844)


def _program() -> str:
    """Where the browser is. None is a failure in CI, and a skip that names it elsewhere."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        missing = "no Chromium on PATH (make browser, on Debian as root)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@contextmanager
def driven() -> Iterator[Browser]:
    """A browser without a window, while this lasts. No other event loop may run in this thread then."""
    program = _program()
    with sync_playwright() as playwright:
        # Its own sandbox refuses root, and a container's memory file system may be small.
        options = [
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "--disable-dev-shm-usage",
            "--disable-gpu",
        ]
        browser = playwright.chromium.launch(executable_path=program, args=options, timeout=LIMIT * 1000)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """One window of a browser, and what went wrong in it: messages, errors, requests to others, dialogs."""

    def __init__(
        self, browser: Browser, size: tuple[int, int] = DESK, *, dark: bool = False, script: bool = True
    ) -> None:
        self.context: BrowserContext = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        self.context.set_default_timeout(LIMIT * 1000)
        self.context.set_default_navigation_timeout(LIMIT * 1000)  # a long page on a busy machine
        self.wrong: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda said: self._console(said.type, said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.wrong.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self._request(request.url))
        self._home = ""

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *exc: object) -> None:
        self.context.close()

    def to(self, address: str | Path) -> Page:
        """Go there; what is asked of another host than the first address is wrong."""
        url = address.as_uri() if isinstance(address, Path) else address
        self._home = self._home or "/".join(url.split("/")[:3])
        self.page.goto(url)
        return self.page

    def _console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.wrong.append(f"{kind}: {text}")

    def _request(self, url: str) -> None:
        if not url.startswith((self._home, "data:", "blob:")):
            self.wrong.append(f"asks {url}")


def violations(page: Page) -> list[str]:
    """What axe finds, one line for each kind: its name, how often, the first element."""
    page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(done => done.violations)"
    )
    return [
        f"{one['id']} x{len(one['nodes'])}: {one['nodes'][0]['html'][:160]}"
        f" | {one['nodes'][0]['failureSummary'].splitlines()[-1].strip()}"
        for one in found
    ]


def too_wide(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width
