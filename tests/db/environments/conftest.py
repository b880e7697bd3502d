"""Databases that belong to a role without superuser, on an old and a new major."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgrehearse.servers import Servers
from support.databases import Owned, owned_on
from support.majors import OLD_AND_NEW


@pytest.fixture(params=OLD_AND_NEW)
def owned(servers: Servers, request: pytest.FixtureRequest) -> Iterator[Owned]:
    """A fresh, unmarked database and its owner; both go after the test."""
    with owned_on(servers.get(request.param)) as made:
        yield made
