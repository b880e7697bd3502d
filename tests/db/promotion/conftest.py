"""Databases with promotion installed, on an old and a new major."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgrehearse.servers import Servers
from support.majors import OLD_AND_NEW
from support.promotions import Stage, staged


@pytest.fixture(params=OLD_AND_NEW)
def stage(servers: Servers, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A database that asks for one approval."""
    with staged(servers.get(request.param)) as made:
        yield made
