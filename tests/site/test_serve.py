"""The live preview, as its own process: save a document, see it executed, built and served."""

from __future__ import annotations

import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.site.built.serve import serve
from support.processes import hearing
from support.tiny import Tiny
from support.waiting import LIMIT

PREVIEW = """
import sys
from pathlib import Path
from pgrehearse.execution import records
from pgrehearse.execution.record_basis import surroundings
from pgrehearse.site.built.serve import serve
from pgrehearse.text.document import load
from pgrehearse.text.project import Project

project = Project.at(Path(sys.argv[1]))

def rehearse(path):
    document = load(path)
    cells = tuple(
        records.CellRecord(
            cell.digest, cell.language, cell.line, "failed" if "broken" in cell.source else "passed",
            message="says broken", message_line=cell.line + 1,
        )
        for cell in document.cells
    )
    digest, around = records.text_digest(document.text), surroundings(project, document)
    run = records.Run("18.6", "2026-01-02T03:04:05Z", digest, 0.1, cells, around)
    records.save(project.records / "records", project.relative(path), 18, run)
    print("rehearsed " + project.relative(path), flush=True)

serve(project, "127.0.0.1:0", rehearse, lambda said: print(said, flush=True))
"""


class Preview:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        self.process = process
        self.said: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()
        self.url = self.until("serving ").split()[1]

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.said.put(line.rstrip())

    def until(self, start: str) -> str:
        """The next line that starts like this; what came before it is given up."""
        deadline = time.monotonic() + LIMIT
        seen: list[str] = []
        while not seen or not seen[-1].startswith(start):
            try:
                seen.append(self.said.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                pytest.fail(f"no line starts with {start!r}: {seen}")
        return seen[-1]

    def page(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=LIMIT) as answer:  # noqa: S310 - our own server
            return str(answer.read().decode())


@pytest.fixture
def preview(tiny: Tiny) -> Iterator[Preview]:
    with started(tiny) as preview:
        yield preview


@pytest.fixture
def preview_with_navigation(tiny: Tiny) -> Iterator[Preview]:
    config = (tiny.root / "mkdocs.yml").read_text(encoding="utf-8")
    tiny.write("mkdocs.yml", config + "nav: [index.md, '*.md']\n")
    with started(tiny) as preview:
        yield preview


@contextmanager
def started(tiny: Tiny) -> Iterator[Preview]:
    command = [sys.executable, "-c", PREVIEW, str(tiny.root)]
    with hearing():
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
        )
    with process:
        try:
            yield Preview(process)
        finally:
            process.kill()


def test_the_loop(tiny: Tiny, preview: Preview) -> None:
    assert "uuidv7" in preview.page("guide/")

    tiny.replace("docs/guide.md", "uuidv7()", "'changed'")
    assert preview.until("rehearsed ") == "rehearsed docs/guide.md"
    assert preview.until("docs/guide.md").startswith("docs/guide.md: green in ")
    assert preview.until("page ready ").endswith(" s after the save")
    assert "changed" in preview.page("guide/")

    tiny.replace("runbooks/add-value.md", "SELECT 2;", "SELECT 'broken';")
    assert preview.until("rehearsed ") == "rehearsed runbooks/add-value.md"
    assert preview.until("runbooks/") == "runbooks/add-value.md:28: failed in its last run: says broken"
    preview.until("page ready ")
    assert 'class="run-failure"' in preview.page("add-value/")
    assert 'class="run-failure"' not in preview.page("guide/")

    # A page that cannot be built: the last good one stays, with the reason on it.
    tiny.replace("docs/guide.md", '```sql session="app"', '```sql sesion="app"')
    preview.until("docs/guide.md:8: unknown option")
    deadline = time.monotonic() + LIMIT
    while "unknown option" not in preview.page("guide/") and time.monotonic() < deadline:
        pass
    page = preview.page("guide/")
    assert "docs/guide.md:8: unknown option" in page
    assert "changed" in page

    tiny.replace("docs/guide.md", '```sql sesion="app"', '```sql session="app"')
    preview.until("page ready ")
    assert "unknown option" not in preview.page("guide/")

    preview.process.send_signal(signal.SIGINT)
    preview.until("stopped")
    assert preview.process.wait(LIMIT) == 0
    assert not list((tiny.project.records / "preview").iterdir())


def test_only_the_page_of_the_saved_document_is_built(tiny: Tiny, preview_with_navigation: Preview) -> None:
    preview = preview_with_navigation
    assert 'data-run-total="10"' in preview.page("")

    tiny.replace("runbooks/add-value.md", "SELECT 2;", "SELECT 2;\n```\n\n```sql\nSELECT 'one more';")
    assert preview.until("rehearsed ") == "rehearsed runbooks/add-value.md"
    preview.until("page ready ")
    page = preview.page("add-value/")
    assert "one more" in page
    assert re.findall(r'class="md-ellipsis">\s*([^<]*?)\s*<', page).count("Guide") > 0
    assert "None" not in page
    assert 'data-run-total="10"' in preview.page("")

    tiny.replace("docs/index.md", "# Home", "# Changed home")
    preview.until("page ready ")
    assert 'data-run-total="11"' in preview.page("")

    tiny.replace("docs/guide.md", '```sql session="app"', '```sql sesion="app"')
    preview.until("docs/guide.md:8: unknown option")
    assert "uuidv7" in preview.page("guide/")


def test_a_snippet_that_changes_executes_the_documents_that_name_it(tiny: Tiny, preview: Preview) -> None:
    tiny.write("snippets/sql/one.sql", "SELECT 1 AS one;\n")
    tiny.replace(
        "docs/guide.md", '```sql needs="18"\nSELECT uuidv7();', '```sql snippet="one"\nSELECT 1 AS one;'
    )
    preview.until("rehearsed docs/guide.md")
    preview.until("page ready ")
    tiny.write("snippets/sql/one.sql", "SELECT 2 AS one;\n")
    assert preview.until("rehearsed ") == "rehearsed docs/guide.md"
    preview.until("page ready ")


def test_a_page_without_cells_is_built_only(tiny: Tiny, preview: Preview) -> None:
    tiny.replace("docs/index.md", "# Home", "# Changed home")
    preview.until("page ready ")
    assert "Changed home" in preview.page("")
    assert preview.said.empty()


def test_port_taken(tiny: Tiny) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=f"port {port} is taken"):
            serve(tiny.project, f"127.0.0.1:{port}", lambda _: None)


@pytest.mark.parametrize("address", ["8000", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:99999"])
def test_wrong_address(tiny: Tiny, address: str) -> None:
    with pytest.raises(SetupError, match="is no address"):
        serve(tiny.project, address, lambda _: None)
