"""The one "today" is UTC's, whatever the machine's time zone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from pgrehearse import clock


@pytest.fixture(params=["UTC", "Etc/GMT-14", "Etc/GMT+12"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process is in that time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


def test_today_is_that_of_utc(zone: None) -> None:
    """One of the two far zones has another date than UTC at any time of the day."""
    now = clock.now()
    assert now.utcoffset() == timedelta(0)
    assert clock.today() in {now.date().isoformat(), (now + timedelta(minutes=1)).date().isoformat()}
