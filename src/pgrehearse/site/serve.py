"""The authors' loop: save a document, it alone is executed, its page reloads with what happened."""

from __future__ import annotations

import errno
import shutil
import tempfile
import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.execution.records import text_digest
from pgrehearse.site.build import build_once, docs_folder, draft
from pgrehearse.site.published import published_documents, read
from pgrehearse.text.document import load
from pgrehearse.text.project import Project
from pgrehearse.text.snippets import Snippets

if TYPE_CHECKING:
    from mkdocs.livereload import LiveReloadServer

__all__ = ["ADDRESS", "serve"]

ADDRESS = "127.0.0.1:8000"
#: Seconds between two looks at the watched files; the default of 0.5 is most of the wait for a small page.
_POLL = 0.1


def serve(
    project: Project,
    address: str,
    rehearse: Callable[[Path], None],
    echo: Callable[[str], None] = print,
) -> None:
    """Serve the site at ``address`` (``host:port``, port 0 for a free one) until interrupted.

    When a document is saved, ``rehearse`` is called with its path; it executes the document and writes its
    record, and may raise. Then the site is built as a draft. Raises SetupError when the port is taken.
    """
    host, port = _parsed(address)
    folder = Path(tempfile.mkdtemp(prefix="pgrehearse-site-"))
    try:
        with draft(True):
            _Preview(project, folder, rehearse, echo).run(host, port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _parsed(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise SetupError(f"{address!r} is no address", next_step=f"write host:port, such as {ADDRESS}")
    return host.strip("[]"), int(port)


class _Preview:
    """State of the loop: what every document looked like when it was last executed."""

    def __init__(
        self, project: Project, folder: Path, rehearse: Callable[[Path], None], echo: Callable[[str], None]
    ) -> None:
        self.project = project
        self.rehearse = rehearse
        self.echo = echo
        self.docs = docs_folder(project)
        self.seen = self._marks()
        self.problem = ""
        # Two folders by turns: a build that fails leaves the last good pages to read.
        self._folders = (folder / "a", folder / "b")
        self._server: Any = None

    def run(self, host: str, port: int) -> None:
        server = self._server = _server(self, host, port)
        self._bind(host, port)
        self.update()
        if self._unproven():
            self.echo(f"{self._unproven()} documents have no proof yet; pgrehearse test executes all of them")
        for path in (
            self.docs,
            self.project.root / "mkdocs.yml",
            self.project.runbooks,
            self.project.snippets,
        ):
            if path.exists():
                server.watch(str(path))
        self.echo(f"serving {server.url} (stop with Ctrl-C)")
        try:
            server.serve()  # type: ignore[no-untyped-call]
        except KeyboardInterrupt:
            self.echo("stopped")
        finally:
            server.shutdown()

    def _bind(self, host: str, port: int) -> None:
        try:
            self._server.bind_first()
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            raise SetupError(
                f"port {port} is taken" if taken else f"cannot listen on {host}:{port}: {error.strerror}",
                next_step="choose another address; port 0 takes a free one",
            ) from error

    def changed(self) -> None:
        """What the server calls after files changed."""
        now = self._marks()
        changed = [path for path, mark in now.items() if self.seen.get(path) != mark]
        self.seen = now
        saved = max((path.stat().st_mtime for path in self._sources() if path.exists()), default=time.time())
        for path in changed:
            self._execute(path)
        self.update()
        if not self.problem:
            self.echo(f"page ready {max(0.0, time.time() - saved):.1f} s after the save")

    def update(self) -> None:
        """Build into the folder that is not being served, then serve that one."""
        current = Path(self._server.root)
        target = next(folder for folder in self._folders if folder != current)
        try:
            build_once(self.project, target, strict=False, serve_url=self._server.url)
        except PgRehearseError as error:
            self.problem = str(error)
            self.echo(self.problem)
            return
        self.problem = ""
        self._server.root = str(target)

    def _execute(self, path: Path) -> None:
        name = self.project.relative(path)
        started = time.monotonic()
        try:
            if not load(path).cells:
                return
            self.rehearse(path)
            read(self.project, path).require_proof()
        except PgRehearseError as error:
            self.echo(str(error))
        else:
            self.echo(f"{name}: green in {time.monotonic() - started:.1f} s")

    def _marks(self) -> dict[Path, str]:
        """Digest of every document and of the snippets it names: what makes another execution necessary."""
        return {path: self._mark(path) for path in published_documents(self.project, self.docs)}

    def _mark(self, path: Path) -> str:
        try:
            document = load(path)
            snippets = Snippets(self.project.snippets)
            used = {(c.language, c.options.snippet) for c in document.cells if c.options.snippet}
            texts = [snippets.text(language, name) for language, name in sorted(used) if name]
        except PgRehearseError as error:
            return text_digest(f"{path.stat().st_mtime_ns if path.exists() else 0} {error}")
        return text_digest("\0".join((document.text, *texts)))

    def _sources(self) -> list[Path]:
        folders = (self.docs, self.project.runbooks, self.project.snippets)
        files = [path for folder in folders if folder.is_dir() for path in folder.rglob("*")]
        return [*files, self.project.root / "mkdocs.yml"]

    def _unproven(self) -> int:
        items = [read(self.project, path) for path in published_documents(self.project, self.docs)]
        return sum(bool(item.states) and not item.runs for item in items)


def _server(preview: _Preview, host: str, port: int) -> LiveReloadServer:
    """MkDocs' server that knows its real port, and shows why the last build failed."""
    from mkdocs.livereload import LiveReloadServer

    class Server(LiveReloadServer):
        bound = False

        def bind_first(self) -> None:
            """Take the port before anything is built; ``serve`` asks again."""
            try:
                self.server_bind()
            except OSError:
                self.server_close()
                raise

        def server_bind(self) -> None:
            if self.bound:
                return
            super().server_bind()
            self.bound = True
            self.url = f"http://{host}:{self.server_address[1]}/"

        def _inject_js_into_html(self, content: bytes, epoch: int) -> bytes:
            page: bytes = super()._inject_js_into_html(content, epoch)  # type: ignore[no-untyped-call]
            return page + _banner(preview.problem).encode() if preview.problem else page

    return Server(
        builder=preview.changed, host=host, port=port, root=str(preview.docs), polling_interval=_POLL
    )


def _banner(problem: str) -> str:
    style = (
        "position:fixed;inset:auto 0 0 0;z-index:9;max-height:50vh;overflow:auto;margin:0;padding:1em;"
        "background:#7f1d1d;color:#fff;font:13px monospace;white-space:pre-wrap"
    )
    said = f"The last build failed; this is the page before it.\n{escape(problem)}"
    return f'<pre role="alert" style="{style}">{said}</pre>'
