"""The authors' loop: save a document, it alone is executed, its page reloads with what happened."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.execution.records import text_digest
from pgrehearse.site.built.build import build_once, docs_folder, draft
from pgrehearse.site.built.pages import built_names
from pgrehearse.site.content.documents import Site
from pgrehearse.site.content.published import published_documents, read
from pgrehearse.site.markup import render
from pgrehearse.text.document import load
from pgrehearse.text.project import Project
from pgrehearse.text.snippets import Snippets

__all__ = ["ADDRESS", "serve"]

ADDRESS = "127.0.0.1:8000"
#: Seconds between two looks at the files.
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
    with draft(True):
        _Preview(project, rehearse, echo).run(host, port)


def _parsed(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise SetupError(f"{address!r} is no address", next_step=f"write host:port, such as {ADDRESS}")
    return host.strip("[]"), int(port)


class _Preview:
    """State of the loop: what every document looked like when it was last executed."""

    def __init__(
        self, project: Project, rehearse: Callable[[Path], None], echo: Callable[[str], None]
    ) -> None:
        self.project = project
        self.rehearse = rehearse
        self.echo = echo
        self.docs = docs_folder(project)
        self.seen = self._marks()
        self.problem = ""
        self._has_navigation = False
        self._folders: tuple[Path, ...] = ()
        self._server: Any = None

    def run(self, host: str, port: int) -> None:
        server = self._server = _server(self, host, port)
        self._bind(host, port)
        # One folder a port: a preview that was killed leaves nothing that the next one does not use again.
        folder = self.project.records / "preview" / str(server.server_address[1])
        # Two in it, by turns: a build that fails leaves the last good pages to read.
        self._folders = (folder / "a", folder / "b")
        try:
            self._serve(server)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _serve(self, server: Any) -> None:
        seen = self._stamps()
        self._build_all()
        if self._unproven():
            self.echo(f"{self._unproven()} documents have no proof yet; pgrehearse test executes all of them")
        server.start()
        self.echo(f"serving {server.url} (stop with Ctrl-C)")
        try:
            while True:
                now = self._after_change(seen)
                touched = {path for path in seen.keys() | now.keys() if seen.get(path) != now.get(path)}
                seen = now
                server.rebuild(touched)
        except KeyboardInterrupt:
            self.echo("stopped")
        finally:
            server.shutdown()

    def _after_change(self, seen: dict[Path, tuple[int, int]]) -> dict[Path, tuple[int, int]]:
        """Wait until files differ from ``seen`` and two looks in a row agree: editors save in steps."""
        while True:
            time.sleep(_POLL)
            now = self._stamps()
            if now == seen:
                continue
            while (later := self._settled()) != now:
                now = later
            return now

    def _settled(self) -> dict[Path, tuple[int, int]]:
        time.sleep(_POLL / 2)
        return self._stamps()

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        found = {}
        for path in self._sources():
            with suppress(FileNotFoundError):
                stat = path.stat()
                found[path] = (stat.st_mtime_ns, stat.st_size)
        return found

    def _bind(self, host: str, port: int) -> None:
        try:
            self._server.bind()
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            raise SetupError(
                f"port {port} is taken" if taken else f"cannot listen on {host}:{port}: {error.strerror}",
                next_step="choose another address; port 0 takes a free one",
            ) from error

    def changed(self, touched: set[Path]) -> None:
        """Execute the documents whose text changed, then build what shows the ``touched`` files."""
        now = self._marks()
        changed = [path for path, mark in now.items() if self.seen.get(path) != mark]
        saved = max((path.stat().st_mtime for path in touched if path.exists()), default=time.time())
        known = self.seen.keys()
        self.seen = now
        for path in changed:
            self._execute(path)
        pages = self._pages({*touched, *changed}) if known == now.keys() else None
        if pages:
            self._build_pages(pages)
        else:
            self._build_all()
        if not self.problem:
            self.echo(f"page ready {max(0.0, time.time() - saved):.1f} s after the save")

    def _pages(self, touched: set[Path]) -> set[str] | None:
        """The pages that show these files; None where more than those pages may have changed."""
        try:
            homes = Site(self.project.root, self.docs).homes
        except PgRehearseError:
            return None
        pages = set()
        for path in touched:
            page = (
                path.relative_to(self.docs).as_posix()
                if path.is_relative_to(self.docs)
                else homes.get(path.stem)
            )
            # A snippet shows only through the documents that name it, and those are among the changed ones.
            if path.is_relative_to(self.project.snippets):
                continue
            if path.suffix != ".md" or page is None or self.problem or not self._has_navigation:
                return None
            pages.add(page)
        return pages

    def _build_all(self) -> None:
        """Build into the folder that is not being served, then serve that one."""
        current = Path(self._server.root)
        target = next(folder for folder in self._folders if folder != current)
        config = self._build(target)
        if config:
            self._has_navigation = bool(config["nav"])
            self._server.root = str(target)

    def _build_pages(self, pages: set[str]) -> None:
        """Build a few pages where they are served; what only a build of all knows stays as it was."""
        root = Path(self._server.root)
        files = {root / name for page in pages for name in built_names(page) if (root / name).is_file()}
        before = {file: file.read_bytes() for file in files}
        search = root / "search" / "search_index.json"
        index = search.read_bytes() if search.is_file() else None
        for file in files:
            file.unlink()
        if not self._build(root, changes_only=True):
            for file, content in before.items():
                file.write_bytes(content)
        if index is not None:
            search.write_bytes(index)

    def _build(self, target: Path, *, changes_only: bool = False) -> Any:
        url = self._server.url
        try:
            config = build_once(self.project, target, strict=False, serve_url=url, changes_only=changes_only)
        except PgRehearseError as error:
            self.problem = str(error)
            self.echo(self.problem)
            return None
        self.problem = ""
        return config

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
        # What editors keep beside a file while it is open is no source.
        shown = [path for path in files if path.is_file() and not path.name.startswith(".")]
        return [*shown, self.project.root / "mkdocs.yml"]

    def _unproven(self) -> int:
        items = [read(self.project, path) for path in published_documents(self.project, self.docs)]
        return sum(bool(item.states) and not item.runs for item in items)


def _server(preview: _Preview, host: str, port: int) -> Any:
    """MkDocs' server with its real port in the URL and, on every page, the reason why a build failed."""
    from mkdocs.livereload import LiveReloadServer

    class Server(LiveReloadServer):
        def bind(self) -> None:
            """Take the port, before anything is built."""
            try:
                self.server_bind()
            except OSError:
                self.server_close()
                raise
            self.url = f"http://{host}:{self.server_address[1]}/"

        def start(self) -> None:
            # MkDocs' own watching begins in a thread at an unknown moment; the loop looks for itself, from
            # before the first build on. A watched path remains necessary: it switches on the reloading.
            self._watched_paths[str(preview.docs)] = 1
            self.server_activate()
            self.serve_thread.start()

        def rebuild(self, touched: set[Path]) -> None:
            """Hold back requests for pages while they are made, then reload the open ones."""
            self._wanted_epoch = self._visible_epoch + 1
            preview.changed(touched)
            with self._epoch_cond:
                self._visible_epoch = self._wanted_epoch
                self._epoch_cond.notify_all()

        def _inject_js_into_html(self, content: bytes, epoch: int) -> bytes:
            page: bytes = super()._inject_js_into_html(content, epoch)  # type: ignore[no-untyped-call]
            if not preview.problem:
                return page
            return page + render("failed_build", problem=preview.problem).encode()

    return Server(builder=lambda: None, host=host, port=port, root=str(preview.docs))
