"""pgbench with one number of connections after the other, bounded in time, and what transactions took."""

from __future__ import annotations

import os
import re
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

from pgrehearse.errors import SetupError
from pgrehearse.measurement.pool_sizing.knee import LoadPoint
from pgrehearse.measurement.pool_sizing.mix import Mix, pgbench

__all__ = ["measured", "percentile"]

_TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_MORE = 60.0  # seconds beyond those of the load that pgbench may need to connect and end
_WARM = 2  # seconds of load, at most, that are thrown away first: caches, plans


def measured(mix: Mix, numbers: Iterable[int], seconds: int) -> Iterator[LoadPoint]:
    """What each of ``numbers`` of connections comes to, ``seconds`` each. Raises SetupError."""
    warmed = False
    for connections in numbers:
        if not warmed:
            _run(mix, connections, min(_WARM, seconds))
            warmed = True
        yield _run(mix, connections, seconds)


def _run(mix: Mix, connections: int, seconds: int) -> LoadPoint:
    threads = max(1, min(connections, os.cpu_count() or 1))
    with tempfile.TemporaryDirectory(prefix="pgrehearse-pool-") as folder:
        options = [
            "--no-vacuum",
            "--log",
            "--log-prefix=took",
            f"--client={connections}",
            f"--jobs={threads}",
            f"--time={seconds}",
            f"--random-seed={connections}",
            *mix.options,
        ]
        said = pgbench(mix, options, seconds + _MORE, Path(folder))
        took = _latencies(Path(folder))
    found = _TPS.search(said)
    if found is None or not took:
        raise SetupError(
            f"no transaction of the mix ended within {seconds} s",
            next_step="give --seconds more, or a mix of shorter transactions",
        )
    return LoadPoint(connections, round(float(found[1]), 1), percentile(took, 50), percentile(took, 99))


def _latencies(folder: Path) -> array[int]:
    """Microseconds of each transaction that went through, sorted."""
    took = array("l")
    for file in folder.glob("took.*"):
        with file.open(encoding="ascii") as lines:
            for line in lines:
                word = line.split(maxsplit=3)[2]
                if word.isdigit():  # else "failed" or "skipped"
                    took.append(int(word))
    return array("l", sorted(took))


def percentile(took: array[int], percent: int) -> float:
    """Milliseconds that ``percent`` of the sorted microseconds do not exceed."""
    place = -(-len(took) * percent // 100) - 1
    return round(took[max(place, 0)] / 1000, 2)
