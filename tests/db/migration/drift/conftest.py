"""The shop on the oldest and the newest server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgrehearse.servers import Servers
from support.majors import OLD_AND_NEW
from support.shop import Shop, shop_on


@pytest.fixture(scope="session", params=OLD_AND_NEW)
def shop(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Shop]:
    with shop_on(servers.get(request.param)) as made:
        yield made
