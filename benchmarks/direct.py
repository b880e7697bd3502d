"""What it costs to recognize a pooler, beside making the connection that is looked at.

    .venv/bin/python benchmarks/direct.py

Prints both in milliseconds: the least, the median and the 99th of 100. The question is one round trip to a
server on the same machine; over a network it costs one more of that network's.
"""

from __future__ import annotations

import json
import os
import time

from pgrehearse.connections import connect
from pgrehearse.environments.direct import direct
from pgrehearse.servers import Servers

_TIMES = 500


def main() -> None:
    """Measure, and print one JSON object."""
    connecting, looking = [], []
    with Servers() as servers:
        dsn = servers.get(None).dsn()
        for _ in range(_TIMES):
            begun = time.perf_counter()
            with connect(dsn, autocommit=True) as connection:
                made = time.perf_counter()
                direct(connection)
                looking.append(time.perf_counter() - made)
            connecting.append(made - begun)
    found = {name: _said(times) for name, times in (("connect", connecting), ("direct", looking))}
    print(
        json.dumps(
            {"milliseconds": found, "load": os.getloadavg()[0], "processors": os.cpu_count()}, indent=2
        )
    )


def _said(times: list[float]) -> dict[str, float]:
    times.sort()
    places = {"least": 0, "p50": len(times) // 2, "p99": len(times) * 99 // 100}
    return {name: round(times[place] * 1e3, 2) for name, place in places.items()}


if __name__ == "__main__":
    main()
