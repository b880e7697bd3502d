"""How long documents and tests take here against another checkout of this repository, as ratios.

    python benchmarks/suite.py OTHER [TARGET ...] [--rounds N] [--json FILE]

OTHER is a checkout with a virtual environment of its own (``make check`` makes it), such as the state
before a change. Each TARGET, by default every guide, all runbooks and the migrations, is run by pytest in
both, in turns; the fastest of N rounds counts. ``wall`` is seconds until pytest ended, ``cpu`` the seconds
that it, its servers and its commands were at work, which other load disturbs less.

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
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What every state of the repository has; tests move.
TARGETS = (
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "guides").glob("*.md")),
    "runbooks",
    "db",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("other", type=Path, help="another checkout, with its .venv")
    parser.add_argument("target", nargs="*", default=TARGETS, help="what pytest is to run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_intermixed_args()
    rows = []
    print(f"{'':<44}{'wall':>8}{'other':>8}{'ratio':>7}{'cpu':>8}{'other':>8}{'ratio':>7}")
    for target in arguments.target:
        here, there = compared(target, arguments.other.resolve(), arguments.rounds)
        if here is None or there is None:
            print(f"{target:<44}  not green in {'this' if here is None else 'the other'} checkout")
            continue
        rows.append({"target": target, "here": here, "other": there})
        show(target, here, there)
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


def compared(
    target: str, other: Path, rounds: int
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """The fastest run of ``target`` here and in ``other``; None: it failed there."""
    found: dict[Path, list[tuple[float, float]]] = {ROOT: [], other: []}
    for _ in range(rounds):
        for checkout, runs in found.items():
            run = timed(checkout, target)
            if run is not None:
                runs.append(run)
    here, there = (
        (min(w for w, _ in runs), min(c for _, c in runs)) if runs else None for runs in found.values()
    )
    return here, there


def timed(checkout: Path, target: str) -> tuple[float, float] | None:
    """Wall and CPU seconds of one run; None when it is not green."""
    command = [".venv/bin/python", "-m", "pytest", "-q", "--measure", target]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=checkout, capture_output=True, check=False)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (round(wall, 2), round(cpu, 2)) if done.returncode == 0 else None


def show(name: str, here: tuple[float, float], there: tuple[float, float]) -> None:
    print(
        f"{name:<44}{here[0]:>8.2f}{there[0]:>8.2f}{here[0] / there[0]:>7.2f}"
        f"{here[1]:>8.2f}{there[1]:>8.2f}{here[1] / there[1]:>7.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
