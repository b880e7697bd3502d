"""What the runner costs beside psql: large migrations, applied by both, alternately, on one server.

    python benchmarks/apply.py [--json FILE] [--megabytes 50] [--rounds 3] [--only KIND]

1. ``rows``: a file of INSERTs of one row each.
2. ``batches``: a file of as many bytes, INSERTs of a thousand rows each.
3. ``small``: 4,352 small statements, DDL and rows mixed.

Each is applied by ``psql -1 -f`` and by ``pgrehearse db up`` to fresh databases, in turn. The ratio is that
of the medians of wall time at the client, the start of the programs included; ``peak`` is the resident memory
of ``db up``. ``said`` is the time that it prints for the migration, its COMMIT included; ``statements`` what
the ledger says its statements took, without the runner's questions between them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psycopg
from run import conditions

from pgrehearse.environments import marks
from pgrehearse.servers import Server, libpq_environment, start
from pgrehearse.servers.binaries import client

STATEMENTS = 4352


def row(number: int) -> str:
    return f"({number}, 'the label; it''s of {number}', {number % 97}.5, '2026-01-05 09:00Z')"


def rows(size: int) -> Iterator[str]:
    """About ``size`` bytes of INSERTs of one row."""
    yield "CREATE TABLE item (id int, label text, price numeric, at timestamptz);\n"
    written = number = 0
    while written < size:
        number += 1
        line = f"INSERT INTO item VALUES {row(number)};\n"
        written += len(line)
        yield line


def batches(size: int) -> Iterator[str]:
    """About ``size`` bytes of INSERTs of a thousand rows."""
    yield "CREATE TABLE item (id int, label text, price numeric, at timestamptz);\n"
    written = number = 0
    while written < size:
        lines = []
        for _ in range(1000):
            number += 1
            lines.append(row(number))
        text = "INSERT INTO item VALUES\n" + ",\n".join(lines) + ";\n"
        written += len(text)
        yield text


def small(size: int) -> Iterator[str]:
    """Statements of many kinds; ``size`` does not count."""
    for number in range(STATEMENTS // 8):
        table = f"t{number % 64}"
        if number < 64:
            yield f"CREATE TABLE {table} (id int PRIMARY KEY, label text);\n"
        else:
            yield f"ALTER TABLE {table} ADD COLUMN c{number} int;\n"
        yield f"COMMENT ON TABLE {table} IS 'comment {number}';\n"
        yield f"INSERT INTO {table} (id, label) VALUES ({number}, 'one; two');\n"
        yield f"UPDATE {table} SET label = 'three' WHERE id = {number};\n"
        yield f"CREATE INDEX i{number} ON {table} (label) WHERE id > {number};\n"
        yield f"DROP INDEX i{number};\n"
        yield f"CREATE OR REPLACE FUNCTION f{number % 16}() RETURNS int LANGUAGE sql AS 'SELECT {number}';\n"
        yield f"SELECT f{number % 16}();\n"


KINDS = {"rows": rows, "batches": batches, "small": small}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    parser.add_argument("--megabytes", type=int, default=50, help="size of the files of INSERTs")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is applied by both")
    parser.add_argument("--only", choices=KINDS, help="one kind")
    arguments = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder, start() as server:
        for kind in [arguments.only] if arguments.only else KINDS:
            found[kind] = compare(server, Path(folder, kind), kind, arguments.megabytes, arguments.rounds)
            print(f"\n{kind}")
            for name, value in found[kind].items():
                print(f"  {name:<50} {value:>10.3f}", flush=True)
    if arguments.json:
        found = {kind: {name: round(one, 3) for name, one in rows.items()} for kind, rows in found.items()}
        text = json.dumps({"conditions": conditions(), **found}, indent=1) + "\n"
        arguments.json.write_text(text, encoding="utf-8")


def compare(server: Server, folder: Path, kind: str, megabytes: int, rounds: int) -> dict[str, float]:
    """Both programs in turn, on one file."""
    migrations = folder / "db" / "migrations"
    migrations.mkdir(parents=True)
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    plain, migration = folder / "plain.sql", migrations / "1_apply.sql"
    with plain.open("w", encoding="utf-8") as one, migration.open("w", encoding="utf-8") as other:
        other.write("-- migrate:up\n")
        for piece in KINDS[kind](
            megabytes * 1_000_000
        ):  # the system counts our own memory to that of a child
            one.write(piece)
            other.write(piece)
        other.write("\n-- migrate:down\n")
    theirs, ours = [], []
    for number in range(rounds):
        psql = [str(client("psql")), "-1", "-qX", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-f", str(plain)]
        theirs.append(timed(server, f"{kind}_psql_{number}", psql, folder))
        runner = [sys.executable, "-m", "pgrehearse", "db", "up"]
        ours.append(timed(server, f"{kind}_up_{number}", runner, folder))
    wall, psqls = median(run.seconds for run in ours), median(run.seconds for run in theirs)
    return {
        "megabytes": plain.stat().st_size / 1e6,
        "psql -1 -f, seconds": psqls,
        "pgrehearse db up, seconds": wall,
        "ratio db up / psql (goal: at most 1.3)": wall / psqls,
        "said by db up, seconds": median(run.said for run in ours),
        "statements in the ledger, seconds": median(run.statements for run in ours),
        "peak memory of db up, megabytes": max(run.peak for run in ours),
    }


class Run(NamedTuple):
    """Seconds at the clock, as ``db up`` says, of its statements by the ledger; megabytes at its peak."""

    seconds: float
    said: float
    statements: float
    peak: float


def timed(server: Server, database: str, command: list[str], folder: Path) -> Run:
    """``command`` on a fresh database."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}".encode())
        connection.execute(marks.set_statement(database, "test").encode())
        connection.execute("CHECKPOINT")
    environment = libpq_environment(server.env(database))
    began = time.monotonic()
    with (folder / "said").open("w+b") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode()
        if process.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{text[-2000:]}")
    printed = re.search(r"^applied \S+  (\d+) ms", text, re.MULTILINE)
    with psycopg.connect(server.dsn(database)) as connection:
        statements = 0.0
        row = connection.execute("SELECT to_regclass('pgrehearse.statement')").fetchone()
        if row is not None and row[0]:
            row = connection.execute("SELECT sum(milliseconds) / 1000 FROM pgrehearse.statement").fetchone()
            statements = float(row[0]) if row is not None else 0.0
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database}".encode())
    return Run(seconds, int(printed[1]) / 1000 if printed else 0.0, statements, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
