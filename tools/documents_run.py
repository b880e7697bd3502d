"""Commit what became of every document on a major that only few machines have: evidence/documents.json.

    make preview                                # or: .venv/bin/pgrehearse test --pg 19
    .venv/bin/python tools/documents_run.py 19

It reads the records of that run, not a server. The reference page on rehearsals shows the sums.
Exit status 1, and nothing is written: a document is red, or there is no record of its present blocks.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from pgrehearse import sealed
from pgrehearse.execution import records
from pgrehearse.majors import SUPPORTED
from pgrehearse.text.document import load
from pgrehearse.text.project import Project

__all__ = ["EVIDENCE", "collected"]

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = ROOT / "evidence" / "documents.json"


def collected(project: Project, major: int) -> tuple[dict[str, Any], list[str]]:
    """What the last run of each document on ``major`` did; and in words, of which none proves anything.

    Of each document the number of blocks that ran, and of those that were skipped by reason. ``seconds``
    is the sum of wall times of the documents, each alone.
    """
    documents, wrong, versions, dates = {}, [], set(), set()
    seconds = 0.0
    for path in project.markdown():
        document = load(path)
        name = project.relative(path)
        if not document.cells:
            continue
        run = records.load(project.records / "records", name).runs.get(str(major))
        # Prose may have changed since: what ran are its blocks.
        if run is None or sorted(cell.digest for cell in run.cells) != sorted(
            c.digest for c in document.cells
        ):
            wrong.append(f"{name}: no run of its present blocks on PostgreSQL {major}")
            continue
        if not run.green:
            wrong.append(f"{name}: red on PostgreSQL {run.version}")
            continue
        skipped = Counter(cell.message for cell in run.cells if cell.status == "skipped")
        documents[name] = {
            "passed": len(run.cells) - skipped.total(),
            "skipped": dict(sorted(skipped.items())),
        }
        versions.add(run.version)
        dates.add(run.date[:10])
        seconds += run.seconds
    if len(versions) > 1:
        wrong.append(f"runs of several versions, {', '.join(sorted(versions))}: run all of them on one")
    found = {
        "version": max(versions, default=""),
        "date": max(dates, default=""),
        "seconds": round(seconds),
        "documents": documents,
    }
    return found, wrong


def main() -> int:
    """Write what is known of the majors that are named, and leave the others."""
    parser = argparse.ArgumentParser(description="Commit what became of every document on a server major.")
    parser.add_argument("majors", nargs="+", type=int, choices=SUPPORTED)
    project = Project.at(ROOT)
    known = sealed.read(EVIDENCE)["majors"] if EVIDENCE.exists() else {}
    status = 0
    for major in parser.parse_args().majors:
        found, wrong = collected(project, major)
        for line in wrong:
            print(line)
            status = 1
        known[str(major)] = found
    if status == 0:
        sealed.write(EVIDENCE, {"majors": dict(sorted(known.items()))})
    return status


if __name__ == "__main__":
    sys.exit(main())
