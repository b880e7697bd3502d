"""What a promotion to many databases costs beside a plain loop over psql, in the same run.

    python benchmarks/fleet.py [--sizes 10 100 1000] [--json FILE]

Every database gets a migration that inserts one row, and has had one before: the first makes the ledger
there, and is told as ``first``. The loop is a shell that calls ``psql -1 -f`` for one
database after the other, and keeps no account. The promotion is ``promote apply`` with two workers that wait
for it, from its start to its end: gates, waves, claims, ledgers, audit. ``waves`` is the part from the first
database to the last. Each database was connected to once before, so that neither pays for its caches.
Memory is the most that a worker ever had resident.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from run import conditions  # noqa: E402

from pgrehearse import files  # noqa: E402
from pgrehearse.servers import Server, start  # noqa: E402
from pgrehearse.servers.binaries import client  # noqa: E402
from support.fleets import Fleet, fleet_on  # noqa: E402

_LOOP = 'for database in "$@"; do "$PSQL" -qX -1 -v ON_ERROR_STOP=1 -d "$database" -f "$FILE"; done'
_WORKERS = 2
_LIMIT = 3600  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    with start() as server:
        for size in arguments.sizes:
            with (
                tempfile.TemporaryDirectory(dir="/tmp") as folder,
                fleet_on(server, Path(folder), size) as fleet,
            ):
                found[str(size)] = measured(server, fleet)
            print(size, json.dumps(found[str(size)]), flush=True)
    if arguments.json:
        files.write_json(arguments.json, {"conditions": conditions(), **found})


def measured(server: Server, fleet: Fleet) -> dict[str, float]:
    """Of one fleet."""
    fleet.declare("canary = 1")
    fleet.migration(1)
    first = promoted(fleet)[0]
    fleet.migration(2)
    for name in fleet.names:
        fleet.database(name).execute("SELECT 1")
    file = fleet.root / "row.sql"
    file.write_text("INSERT INTO trace (what) VALUES ('0');\n", "utf-8")
    environ = os.environ | {"PSQL": str(client("psql")), "FILE": str(file)}
    targets = [server.dsn(name) for name in fleet.names]
    loop = seconds(lambda: subprocess.run(["sh", "-c", _LOOP, "sh", *targets], check=True, env=environ))
    apply, waves, most = promoted(fleet)
    twice = [name for name in fleet.names if fleet.traces(name) != ["1", "0", "2"]]
    assert not twice, twice
    return {
        "loop_seconds": round(loop, 2),
        "first_seconds": round(first, 2),
        "promotion_seconds": round(apply, 2),
        "waves_seconds": round(float(waves), 2),
        "ratio": round(apply / loop, 2),
        "waves_ratio": round(float(waves) / loop, 2),
        "worker_mb": round(most, 1),
    }


def promoted(fleet: Fleet) -> tuple[float, float, float]:
    """Seconds of apply, seconds of its waves, and the most memory of a worker in MB."""
    fleet.good("request", "--group", "all", limit=_LIMIT)
    workers = [fleet.start("worker") for _ in range(_WORKERS)]
    apply = seconds(lambda: fleet.good("apply", limit=_LIMIT))
    most = max(resident(worker.pid) for worker in workers)
    waves = fleet.home.one(
        "SELECT extract(epoch FROM max(seen_at) - min(opened_at))::float FROM pgrehearse_promotion.visit"
        " WHERE promotion = (SELECT max(id) FROM pgrehearse_promotion.promotion)"
    )
    for worker in workers:
        worker.terminate()
        worker.wait(30)
    return apply, float(waves), most


def seconds(what: Any) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def resident(pid: int) -> float:
    """The most that a process had resident, in MB."""
    text = Path(f"/proc/{pid}/status").read_text("utf-8")
    return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
