"""How long documents and tests take here against another checkout of this repository, as ratios.

    python benchmarks/suite.py OTHER [TARGET ...] [--rounds N] [--json FILE]
    python benchmarks/suite.py OTHER --same [--workers N] [--rounds N] [--json FILE]

OTHER is a checkout with a virtual environment of its own (``make check`` makes it), such as the state
before a change. Each TARGET, by default every guide, all runbooks and the migrations, is run by pytest in
both, in turns; the fastest of N rounds counts. ``wall`` is seconds until pytest ended, ``cpu`` the seconds
that it, its servers and its commands were at work, which other load disturbs less.

With ``--same``, one target: every check of `make test` that both checkouts have. A check is the same when
its file has the same name, wherever it lies, and its test the same name and parameters.

Nothing here is asserted: machines differ.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
#: What every state of the repository has; tests move.
TARGETS = (
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "guides").glob("*.md")),
    "runbooks",
    "db",
)
#: What `make test` runs.
_ALL = ("tests", "docs", "runbooks", "db")
#: A plugin of pytest that leaves the checks named in a file.
_ONLY = """
import os, pathlib
WANTED = set(pathlib.Path(os.environ["SUITE_ONLY"]).read_text("utf-8").splitlines())
def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if item.nodeid not in WANTED]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item.nodeid in WANTED]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("other", type=Path, help="another checkout, with its .venv")
    parser.add_argument("target", nargs="*", default=TARGETS, help="what pytest is to run")
    parser.add_argument("--same", action="store_true", help="all checks that both have, in one run each")
    parser.add_argument("--workers", type=int, default=3, help="of such a run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_intermixed_args()
    rows = []
    print(f"{'':<44}{'wall':>8}{'other':>8}{'ratio':>7}{'cpu':>8}{'other':>8}{'ratio':>7}")
    other = arguments.other.resolve()
    targets = {
        target: {checkout: Run((target,)) for checkout in (ROOT, other)} for target in arguments.target
    }
    lists = tempfile.TemporaryDirectory(prefix="suite-")
    if arguments.same:
        targets = {"the same checks": same_checks(other, arguments.workers, Path(lists.name))}
    for target, runs in targets.items():
        here, there = compared(runs, arguments.rounds)
        if here is None or there is None:
            print(f"{target:<44}  not green in {'this' if here is None else 'the other'} checkout")
            continue
        rows.append({"target": target, "here": here, "other": there})
        show(target, here, there)
    lists.cleanup()
    total = [tuple(sum(row[side][kind] for row in rows) for kind in (0, 1)) for side in ("here", "other")]
    if len(rows) > 1:
        show("together", *total)
    if arguments.json:
        about = {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
            "seconds": "[wall, cpu], the fastest round",
        }
        arguments.json.write_text(json.dumps({**about, "rows": rows}, indent=2) + "\n", "utf-8")


class Run(NamedTuple):
    """Arguments of pytest, additions to its environment, how many checks may fail (they are named)."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = {}
    failures: int = 0


def compared(
    runs: Mapping[Path, Run], rounds: int
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """The fastest run here and in the other checkout; None: it failed there."""
    found: dict[Path, list[tuple[float, float]]] = {checkout: [] for checkout in runs}
    for _ in range(rounds):
        for checkout, run in runs.items():
            if (took := timed(checkout, run)) is not None:
                found[checkout].append(took)
    here, there = (
        (min(w for w, _ in took), min(c for _, c in took)) if took else None for took in found.values()
    )
    return here, there


def timed(checkout: Path, run: Run) -> tuple[float, float] | None:
    """Wall and CPU seconds of one run; None when more of it failed than may."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = pytest(checkout, "--measure", *run.arguments, **run.environment)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode:
        print(*(failed or [done.stdout[-1000:], done.stderr[-1000:]]), sep="\n", file=sys.stderr)
    if done.returncode > 1 or len(failed) > run.failures:
        return None
    return round(wall, 2), round(cpu, 2)


def pytest(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [".venv/bin/python", "-m", "pytest", "-q", *arguments]
    return subprocess.run(
        command, cwd=checkout, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def same_checks(other: Path, workers: int, folder: Path) -> dict[Path, Run]:
    """How to run what both have, by lists in ``folder``. Ends the program where one cannot be collected."""
    here, there = (checks(checkout) for checkout in (ROOT, other))
    both = here.keys() & there.keys()
    print(f"{len(both)} checks in both, {len(here)} here, {len(there)} there", flush=True)
    (folder / "suite_only.py").write_text(_ONLY, "utf-8")
    runs = {}
    for checkout, known in ((ROOT, here), (other, there)):
        wanted = folder / f"{len(runs)}.txt"
        wanted.write_text("\n".join(known[one] for one in both), "utf-8")
        files = sorted({known[one].partition("::")[0] for one in both})
        arguments = ("-n", str(workers), "--dist", "worksteal", "-p", "suite_only", *files)
        environment = {"SUITE_ONLY": str(wanted), "PYTHONPATH": str(folder)}
        runs[checkout] = Run(arguments, environment, len(both) // 100)
    return runs


def checks(checkout: Path) -> dict[str, str]:
    """What names a check wherever its file lies -> its node id; without names that stand for several."""
    done = pytest(
        checkout, "--collect-only", "--measure", *(one for one in _ALL if (checkout / one).exists())
    )
    if done.returncode:
        sys.exit(f"{checkout} cannot be collected:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    ids = [line for line in done.stdout.splitlines() if "::" in line]
    names = {one: f"{Path(one.partition('::')[0]).name}::{one.partition('::')[2]}" for one in ids}
    times = Counter(names.values())
    return {name: one for one, name in names.items() if times[name] == 1}


def show(name: str, here: tuple[float, float], there: tuple[float, float]) -> None:
    print(
        f"{name:<44}{here[0]:>8.2f}{there[0]:>8.2f}{here[0] / there[0]:>7.2f}"
        f"{here[1]:>8.2f}{there[1]:>8.2f}{here[1] / there[1]:>7.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
