"""The servers for all moments of a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from support.faults.trial import Stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(stack)
