"""What `backup verify` costs beside the same work by hand: copy the files, start a server, ask.

    python benchmarks/backup.py [--rows N] [--rounds N] [--json FILE]

A database of a million rows on a server that is started for it. By hand: ``cp -a``, a start,
``count(*)`` of each table, ``pg_amcheck --heapallindexed``. In turns with ``pgrehearse backup verify``,
which also reads every byte against its checksum, compares the copy with the original, and keeps a
receipt. Wall seconds, medians of the rounds, their ratio, and the largest resident memory of one
process. Nothing here is asserted: machines differ.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from pgrehearse.environments.marks import set_statement
from pgrehearse.servers import given, libpq_environment, start
from pgrehearse.servers.account import own
from pgrehearse.servers.binaries import client

_PGREHEARSE = (sys.executable, "-m", "pgrehearse", "backup")
_ROWS = """
CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL, at timestamptz NOT NULL, note text);
INSERT INTO orders
SELECT n, n % 1000, timestamptz '2026-01-01' + n * interval '1 s', md5(n::text) || md5((n+1)::text)
  FROM generate_series(1, {rows}) AS n;
CREATE INDEX orders_customer ON orders (customer, at);
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with start() as server, tempfile.TemporaryDirectory(dir=tempfile.gettempdir()) as folder:
        into = Path(folder)
        into.chmod(0o755)
        dsn = server.dsn("shop")
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE shop")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(_ROWS.format(rows=asked.rows).encode())
            connection.execute(set_statement("shop", "production").encode())
        words = ("--dsn", dsn, "--environment", "production")
        subprocess.run([*_PGREHEARSE, "take", str(into / "backup"), *words], check=True, cwd=into)
        size = sum(one.stat().st_size for one in (into / "backup").rglob("*") if one.is_file())
        hand, ours = [], []
        for _ in range(asked.rounds):
            hand.append(_by_hand(into, server.major))
            begun = time.monotonic()
            command = [*_PGREHEARSE, "verify", str(into / "backup"), "--into", folder, *words]
            subprocess.run(command, check=True, cwd=into, stdout=subprocess.DEVNULL)
            ours.append(time.monotonic() - begun)
    found = {
        "rows": asked.rows,
        "megabytes": round(size / (1 << 20)),
        "by_hand_seconds": round(statistics.median(hand), 2),
        "verify_seconds": round(statistics.median(ours), 2),
        "ratio": round(statistics.median(ours) / statistics.median(hand), 2),
        "largest_resident_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(found, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def _by_hand(into: Path, major: int) -> float:
    """Seconds for a copy that is started and asked by the usual programs."""
    place = given.folder(into)
    begun = time.monotonic()
    subprocess.run(["cp", "-a", into / "backup", place / "data"], check=True)
    own(place)
    with given.serve(
        place, major, {"fsync": "off", "autovacuum": "off"}, user="postgres", quiet=60.0, watch=lambda: None
    ) as server:
        with psycopg.connect(server.dsn("shop"), autocommit=True) as connection:
            connection.execute("SELECT count(*) FROM orders")
            connection.execute("CREATE EXTENSION amcheck")
        subprocess.run(
            [client("pg_amcheck"), "--heapallindexed", "--jobs=2"],
            check=True,
            env=libpq_environment(server.env("shop")),
        )
        took = time.monotonic() - begun
    shutil.rmtree(place, ignore_errors=True)
    return took


if __name__ == "__main__":
    main()
