"""How much the engine costs beside the work itself: ratios measured in one run, on one machine.

    python benchmarks/run.py [--json FILE]

1. All documents with one worker: wall time against the time PostgreSQL (or a Python cell) was at work.
2. A fresh database: clone of the template against building it, and against initdb and start of a server.
3. The runbooks as exported notebooks (nbclient) and as exported scripts (``psql -f``) against the rehearsal.
4. From a saved edit to its verified page, in the live preview, against a bare build of the same site.

Every number is wall time in seconds at the client. Nothing here is asserted: machines differ.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import nbformat
from nbclient import NotebookClient

from pgrehearse import files
from pgrehearse.clock import today
from pgrehearse.execution.databases import Databases
from pgrehearse.execution.rehearser import Rehearser, run_cells
from pgrehearse.notebook.command import write
from pgrehearse.notebook.export import to_notebook
from pgrehearse.servers import Servers, libpq_environment, start
from pgrehearse.servers.binaries import client, find
from pgrehearse.text.document import Document, load
from pgrehearse.text.front_matter import Database
from pgrehearse.text.project import Project

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    parser.add_argument("--skip-preview", action="store_true", help="leave out part 4")
    arguments = parser.parse_args()
    project = Project.at(ROOT)
    numbers = {"documents": documents(project), "database": databases(project), "forms": forms(project)}
    if not arguments.skip_preview:
        numbers["preview"] = preview(project)
    numbers = {
        part: {name: round(value, 3) for name, value in rows.items()} for part, rows in numbers.items()
    }
    for part, rows in numbers.items():
        print(f"\n{part}")
        for name, value in rows.items():
            print(f"  {name:<58} {value:>9.3f}")
    if arguments.json:
        measured = {"conditions": conditions(), **numbers}
        text = json.dumps(measured, indent=1) + "\n"
        files.write(arguments.json, text)


def conditions() -> dict[str, str]:
    """What the numbers hold for."""
    return {
        "date": today(),
        "PostgreSQL": find().version,
        "Python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def documents(project: Project) -> dict[str, float]:
    """Part 1: one worker, warm server and templates, every document once."""
    found = [document for path in project.markdown() if (document := load(path)).cells]
    with Rehearser(project, Servers()) as rehearser:
        for wanted in {document.front.database: document for document in found}.values():
            rehearser.rehearse(wanted)  # builds the template; a session of authors pays it once
        started = time.monotonic()
        results = [
            rehearser.rehearse(document, upcoming=following)
            for document, following in zip(found, [*found[1:], None], strict=True)
        ]
        wall = time.monotonic() - started
    red = [result.document.path.name for result in results if not result.green]
    if red:
        sys.exit(f"red documents, nothing to measure: {', '.join(red)}")
    busy = sum(result.busy_seconds for result in results)
    return {
        "documents": len(results),
        "cells": sum(len(result.cells) for result in results),
        "wall seconds": wall,
        "seconds PostgreSQL or Python was at work": busy,
        "ratio wall / at work (goal: at most 1.3)": wall / busy,
    }


def databases(project: Project) -> dict[str, float]:
    """Part 2: medians of some rounds."""
    starts, builds, clones = [], [], []
    for _ in range(3):
        began = time.monotonic()
        server = start()
        starts.append(time.monotonic() - began)
        with server:
            pool = Databases(server, project)
            began = time.monotonic()
            pool.fresh(Database(), "first")
            builds.append(time.monotonic() - began)
            for number in range(ROUNDS):
                began = time.monotonic()
                pool.fresh(Database(), f"clone_{number}")
                clones.append(time.monotonic() - began)
            pool.close()
    clone = median(clones)
    return {
        "clone of the template, seconds": clone,
        "migrations, seed and clone, seconds": median(builds),
        "start of a server (cached data directory), seconds": median(starts),
        "ratio build / clone": median(builds) / clone,
        "ratio server start / clone": median(starts) / clone,
    }


def forms(project: Project) -> dict[str, float]:
    """Part 3: each runbook forward (no roll back), in three forms, on clones of one template."""
    books = [load(path) for path in sorted(project.runbooks.glob("*.md"))]
    seconds = {"rehearsal": 0.0, "psql -f": 0.0, "nbclient": 0.0}
    with Rehearser(project, Servers()) as rehearser, tempfile.TemporaryDirectory() as scratch:
        for book in books:
            for form in seconds:
                seconds[form] += _one(rehearser, project, book, form, Path(scratch))
    ours = seconds["rehearsal"]
    return {
        "runbooks": len(books),
        **{f"{form}, seconds": value for form, value in seconds.items()},
        "ratio nbclient / rehearsal": seconds["nbclient"] / ours,
        "ratio rehearsal / psql -f": ours / seconds["psql -f"],
    }


def _one(rehearser: Rehearser, project: Project, book: Document, form: str, scratch: Path) -> float:
    """Seconds for the phases Preflight, Apply and Verify of ``book``; setting up is not counted."""
    forward = [cell for cell in book.cells if cell.phase not in ("Rehearsal", "Roll back")]
    with rehearser.fresh(book) as fresh:
        with fresh.executor(book) as executor:
            setting = [cell for cell in book.cells if cell.phase == "Rehearsal"]
            _green(book, run_cells(executor, setting, setting))
        began = time.monotonic()
        if form == "rehearsal":
            with fresh.executor(book) as executor:
                _green(book, run_cells(executor, forward, forward))
        elif form == "psql -f":
            _psql(project, book, scratch, libpq_environment(fresh.server.env(fresh.name)))
        else:
            environment = libpq_environment(fresh.server.env(fresh.name))
            notebook = to_notebook(book, book.path.name)
            values = f"globals().update({book.front.examples()!r})"
            notebook.cells.insert(2, nbformat.v4.new_code_cell(values))
            NotebookClient(notebook).execute(env=environment)
        return time.monotonic() - began


def _psql(project: Project, book: Document, scratch: Path, environment: dict[str, str]) -> None:
    script = scratch / f"{book.path.stem}.sql"
    write(book, project, "sql", script)
    values = [word for name, value in book.front.examples().items() for word in ("-v", f"{name}={value}")]
    command = [str(client("psql")), "-qX", *values, "-f", str(script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{book.path.name} through psql failed:\n{done.stderr[-2000:]}")


def _green(book: Document, results: list[object]) -> None:
    if any(getattr(result, "failure", None) for result in results):
        sys.exit(f"{book.path.name} is red, nothing to measure")


def preview(project: Project) -> dict[str, float]:
    """Part 4: save a runbook some times while the live preview runs; it says when the page is ready."""
    page = project.runbooks / "enum-add-value.md"
    original = page.read_bytes()
    bare = _bare_build(project)
    command = [sys.executable, "-u", "-m", "pgrehearse", "serve", "--address", "127.0.0.1:0"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ)
    )
    taken = []
    try:
        _wait_for(process, r"serving (\S+)")
        for number in range(ROUNDS):
            page.write_bytes(original + f"\n<!-- benchmark {number} -->\n".encode())
            taken.append(float(_wait_for(process, r"page ready ([\d.]+) s")))
    finally:
        page.write_bytes(original)
        process.terminate()
        process.wait(timeout=30)
    return {
        "save to verified page, median seconds": median(taken),
        "bare build of the site, seconds": bare,
        "ratio save to verified page / bare build": median(taken) / bare,
    }


def _bare_build(project: Project) -> float:
    from pgrehearse.site.built.build import build

    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        build(project, Path(folder), strict=False)
        return time.monotonic() - began


def _wait_for(process: subprocess.Popen[str], pattern: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if match := re.search(pattern, line):
            return match[1]
    sys.exit(f"the preview ended with status {process.wait()}")


if __name__ == "__main__":
    main()
