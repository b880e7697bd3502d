"""The one "today" is UTC's, whatever the machine's time zone."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from pgrehearse import clock


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT-14", "Etc/GMT+12"])
def test_today_is_that_of_utc(zone: str) -> None:
    """One of the two far zones has another date than UTC at any time of the day."""
    program = "from pgrehearse import clock; print(clock.today())"
    done = subprocess.run(
        [sys.executable, "-c", program], env={"TZ": zone}, capture_output=True, text=True, check=True
    )
    now = clock.now()
    assert now.utcoffset() == timedelta(0)
    assert done.stdout.strip() in {now.date().isoformat(), (now - timedelta(minutes=1)).date().isoformat()}
