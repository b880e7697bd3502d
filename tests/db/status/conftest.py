"""A database marked staging and the project around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.servers import Server, Servers
from support.databases import Owned, mark, owned_on
from support.majors import OLD_AND_NEW
from support.snapshots import Seen


@pytest.fixture(params=OLD_AND_NEW)
def status_server(servers: Servers, request: pytest.FixtureRequest) -> Server:
    """An old and a new major: catalogs differ."""
    return servers.get(request.param)


@pytest.fixture
def owned(status_server: Server) -> Iterator[Owned]:
    """A database whose owner is nobody special."""
    with owned_on(status_server) as made:
        mark(made.admin, "staging")
        yield made


@pytest.fixture
def seen(owned: Owned, tmp_path: Path) -> Seen:
    """As the superuser sees it, who may see everything."""
    return Seen(tmp_path, owned.admin)
