"""Commands whose own server is killed in the middle: told, nothing half written, nothing left."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from support.bench import Bench
from support.faults.remains import files
from support.processes import PGREHEARSE, clean_environment, start
from support.projects import HEAD, fence
from support.waiting import LIMIT, wait_until

STEPS = ["ALTER TABLE item ADD COLUMN IF NOT EXISTS c int;"]
ITEM = "-- migrate:up\nCREATE TABLE item (id bigint PRIMARY KEY, b int);\n-- migrate:down\nDROP TABLE item;\n"
RECORDING = """---
title: Both
jupyter: {jupytext: {main_language: python}}
recordings:
  both:
    title: Both ways
    rows: 1000
    tables: item
    unsafe: {label: "one", cells: first}
    safe: {label: "two", cells: second}
---

# Both

```sql name="first"
ALTER TABLE item ALTER COLUMN b TYPE bigint;
```

```sql name="second"
ALTER TABLE item ADD COLUMN d int;
```
"""


@pytest.fixture
def place(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where servers and other temporary things of the command are, and nothing else."""
    bench.write("db/migrations/1_item.sql", ITEM)
    bench.write("db/seed.sql", "INSERT INTO item SELECT n FROM generate_series(1, :'rows'::int) AS n;\n")
    bench.write("docs/guide.md", "\n".join([HEAD, "# Guide\n", *map(fence, ["CREATE TABLE a (n int);"] * 1)]))
    bench.write("docs/both.md", RECORDING)
    bench.runbook(STEPS, back="ALTER TABLE item DROP COLUMN IF EXISTS c;")
    bench.write("x.sql", "ALTER TABLE item ADD COLUMN x text;\n")
    made = Path(tempfile.mkdtemp(prefix="pgr-k-", dir="/tmp"))  # a socket's path must be short
    made.chmod(0o1777)
    yield made
    shutil.rmtree(made)


def postmasters(place: Path) -> list[int]:
    found = []
    for file in place.glob("pgr-*/data/postmaster.pid"):
        with suppress(OSError, ValueError, IndexError):  # being written, or gone
            found.append(int(file.read_text("utf-8").split()[0]))
    return found


def written(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("moment", ["as it starts", "once it answers"])
@pytest.mark.parametrize(
    "command",
    [
        "measure --refresh docs/guide.md",
        "rehearse --refresh runbooks/sample.md",
        "record --refresh docs/both.md",
        "db check --write-schema",
        "db test",
        "xray x.sql",
    ],
)
def test_a_killed_server_is_told(bench: Bench, place: Path, command: str, moment: str) -> None:
    before = written(bench.root)
    process = start((*PGREHEARSE, *command.split()), bench.root, clean_environment(TMPDIR=str(place)))
    bench.started.append(process)
    wait_until(lambda: bool(postmasters(place)), "its server starts")
    if moment == "once it answers":
        wait_until(lambda: any(place.glob("pgr-*/.s.PGSQL.*")), "its server listens")
        wait_until(lambda: any(place.glob("pgr-*/data/base/1638[4-9]*")), "it has made a database")
    for one in postmasters(place):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    out, err = process.communicate(timeout=LIMIT)
    assert "Traceback" not in out + err
    if "ended by itself; starting another" not in err:
        assert process.returncode in (1, 69), out + err
    if process.returncode:
        assert "next: " in out + err
        assert written(bench.root) == before
    assert list(files(bench.root)) == []
    wait_until(lambda: not list(place.iterdir()), "nothing is left of the server")
