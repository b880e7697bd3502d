"""One browser for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from support.browsers import driven


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; ended with the file, because nobody else may run an event loop meanwhile."""
    with driven() as made:
        yield made
