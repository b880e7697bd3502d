"""What a walk over rows costs beside the same batches sent by psql, alternately, on one server.

    python benchmarks/walk.py [--json FILE] [--rows 1000000] [--rounds 3]

Each fills one column of a table of its own, in a fresh database:

1. ``psql``: one UPDATE of as many pages as a batch of the walk had on average, each committed, from one file.
2. ``exported``: the walk, by the runbook's exported script: nobody looks at its progress.
3. ``run``: the walk, by ``pgrehearse run``.

Rows per second are those of the walk alone, as the run log has it, and of psql's file. ``processor`` is what
``run`` itself used, less what a run on a tenth of the rows did, per second of the walk.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from resource import struct_rusage
from statistics import median
from typing import NamedTuple

import psycopg
from run import conditions

from pgrehearse.environments import marks
from pgrehearse.servers import Server, libpq_environment, start
from pgrehearse.servers.binaries import client

TABLE = "CREATE TABLE item (id bigint PRIMARY KEY, label text, filled int)"
ROWS = "INSERT INTO item SELECT n, 'the label of ' || n FROM generate_series(1, {rows}) AS n"
SET = {"table": "item", "column": "filled", "expression": "(id % 97)::int"}
BATCHES = re.compile(r"done: (\d+) rows changed in (\d+) batches")


class Walk(NamedTuple):
    """Seconds of the walk, its batches, processor seconds and megabytes of the program at its peak."""

    seconds: float
    batches: int
    processor: float
    peak: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the table")
    parser.add_argument("--rounds", type=int, default=3, help="how often each fills it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, start() as server:
        found = compare(server, Path(folder), arguments.rows, arguments.rounds)
    for name, value in found.items():
        print(f"  {name:<60} {value:>12.3f}", flush=True)
    if arguments.json:
        rounded = {name: round(value, 3) for name, value in found.items()}
        text = json.dumps({"conditions": conditions(), "walk": rounded}, indent=1) + "\n"
        arguments.json.write_text(text, encoding="utf-8")


def compare(server: Server, folder: Path, rows: int, rounds: int) -> dict[str, float]:
    """All three in turn, and ``run`` once on a tenth of the rows, for its memory."""
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    small = run(server, folder, rows // 10)
    ours, exports, theirs = [run(server, folder, rows)], [], []
    for number in range(rounds):  # nobody is always the first
        for turn in range(3):
            if (number + turn) % 3 == 0:
                theirs.append(psql(server, folder, rows, ours[-1].batches))
            elif (number + turn) % 3 == 1:
                exports.append(exported(server, folder, rows))
            else:
                ours.append(run(server, folder, rows))
    by_run, by_script = (rows / median(one.seconds for one in walks) for walks in (ours, exports))
    by_psql = rows / median(theirs)
    return {
        "rows": rows,
        "batches of the walk": median(one.batches for one in ours),
        "rows per second, psql": by_psql,
        "rows per second, exported script": by_script,
        "rows per second, run": by_run,
        "run / psql (goal: at least 0.9)": by_run / by_psql,
        "run / exported script: what progress costs": by_run / by_script,
        "processor seconds of run per second of the walk": median(
            one.processor / one.seconds for one in ours
        ),
        "peak memory of run, megabytes": max(one.peak for one in ours),
        "the same on a tenth of the rows": small.peak,
    }


def run(server: Server, folder: Path, rows: int) -> Walk:
    dsn = fresh(server, rows)
    log = folder / "run.jsonl"
    log.unlink(missing_ok=True)
    values = [f"--set={name}={value}" for name, value in SET.items()]
    command = [sys.executable, "-m", "pgrehearse", "run", "backfill-in-batches", "--yes"]
    said, usage = carried_out(server, [*command, *values, "--log", str(log)], folder)
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    walks = [e["seconds"] for e in events if e["event"] == "statement" and e["sql"].startswith("CALL ")]
    drop(dsn)
    return Walk(walks[0], batches(said), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def exported(server: Server, folder: Path, rows: int) -> Walk:
    dsn = fresh(server, rows)
    script = folder / "backfill-in-batches.sql"
    export = [sys.executable, "-m", "pgrehearse", "export", "backfill-in-batches", "--to", "sql"]
    carried_out(server, [*export, "--output", str(script)], folder)
    text = script.read_text(encoding="utf-8")
    script.write_text("\\timing on\n" + text, encoding="utf-8")
    values = [f"-v{name}={value}" for name, value in SET.items()]
    said, usage = carried_out(server, [str(client("psql")), "-X", *values, "-f", str(script)], folder)
    walked = said[said.index("NOTICE:  done: ") :]
    found = re.search(r"Time: ([0-9.]+) ms", walked)
    assert found is not None
    drop(dsn)
    return Walk(float(found[1]) / 1000, batches(said), 0, usage.ru_maxrss / 1024)


def psql(server: Server, folder: Path, rows: int, count: int) -> float:
    """Seconds of ``count`` UPDATEs of equally many pages."""
    dsn = fresh(server, rows)
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT pg_relation_size('item') / 8192").fetchone()
    assert row is not None
    pages = -(-int(row[0]) // count)
    file = folder / "batches.sql"
    with file.open("w", encoding="utf-8") as written:
        written.write("SELECT clock_timestamp() AS began \\gset\n")
        for page in range(0, int(row[0]), pages):
            written.write(
                f"UPDATE item SET filled = {SET['expression']} WHERE ctid >= '({page},0)'"
                f" AND ctid < '({page + pages},0)' AND filled IS NULL;\n"
            )
        written.write("SELECT 'seconds ' || extract(epoch FROM clock_timestamp() - :'began');\n")
    said, _ = carried_out(server, [str(client("psql")), "-Xq", "-f", str(file)], folder)
    found = re.search(r"seconds ([0-9.]+)", said)
    assert found is not None
    drop(dsn)
    return float(found[1])


def fresh(server: Server, rows: int) -> str:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE walk")
        connection.execute(marks.set_statement("walk", "test").encode())
    dsn = server.dsn("walk")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute(ROWS.format(rows=rows).encode())
        connection.execute("VACUUM ANALYZE item")
        connection.execute("CHECKPOINT")
    return dsn


def drop(dsn: str) -> None:
    with psycopg.connect(dsn.replace("dbname=walk", "dbname=postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE walk WITH (FORCE)")


def batches(said: str) -> int:
    found = BATCHES.search(said)
    if found is None:
        sys.exit(f"the walk did not say how many batches it took:\n{said[-2000:]}")
    return int(found[2])


def carried_out(server: Server, command: list[str], folder: Path) -> tuple[str, struct_rusage]:
    """What ``command`` said, and what it used."""
    with (folder / "said").open("w+b") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=libpq_environment(server.env("walk")), stdout=said, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{text[-2000:]}")
    return text, usage


if __name__ == "__main__":
    main()
