"""The documents of one build: pages and runbooks, where each is shown, and whether it is proven."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.site.content import embed
from pgrehearse.site.content.published import Published, published_documents, read
from pgrehearse.text.project import Project

__all__ = ["DRAFT", "Guessed", "Site"]

#: When this environment variable is 1 a page without proof is built, and says so.
DRAFT = "PGREHEARSE_DRAFT"


class Guessed(dict[str, str]):
    """Pages of runbooks; one that is still to be written is taken to get a page of its own name."""

    def get(self, name: str, default: str | None = None) -> str:  # type: ignore[override]
        return super().get(name) or default or f"runbooks/{name}.md"


class Site:
    """What the macros of one build share: the project, its pages, and the documents read so far."""

    def __init__(self, root: Path, docs: Path) -> None:
        self.project = Project.at(root)
        self.docs = docs.resolve()
        self.draft = os.environ.get(DRAFT) == "1"
        self._read: dict[Path, Published] = {}
        self.homes = self._homes()

    def _homes(self) -> dict[str, str]:
        """Runbook name -> page that embeds it. Raises DocumentError for a wrong use or a second page."""
        homes: dict[str, str] = {}
        known = [path.stem for path in self.runbooks()]
        for path in self.project.markdown((self.docs,)):
            for use in embed.macro_uses(path.read_text(encoding="utf-8")):
                wrong = self._wrong(use, homes, known)
                if wrong:
                    message, fix = wrong
                    name = self.project.relative(path)
                    raise DocumentError(
                        f"runbook({use.name!r}) {message}", path=name, line=use.line, next_step=fix
                    )
                homes[use.name] = path.relative_to(self.docs).as_posix()
        return homes

    def _wrong(self, use: embed.Use, homes: dict[str, str], known: list[str]) -> tuple[str, str] | None:
        if use.problem:
            return use.problem
        if use.name not in known:
            return "names no runbook", "known: " + (", ".join(known) or "none")
        if use.name in homes:
            return (
                f"stands on {self.project.relative(self.docs / homes[use.name])} already",
                "link to that page",
            )
        return None

    def runbooks(self) -> list[Path]:
        folder = self.project.runbooks
        return list(self.project.markdown((folder,))) if folder.is_dir() else []

    def document(self, path: Path) -> Published:
        path = path.resolve()
        if path not in self._read:
            self._read[path] = read(self.project, path)
        return self._read[path]

    def title(self, page: str) -> str:
        """Title of a page: its own, else that of the runbook it embeds."""
        own, *embedded = self.of_page(page)
        if own.document.front.title or any(h.level == 1 for h in own.document.headings) or not embedded:
            return own.document.title
        return embedded[0].document.title

    def page_of(self, item: Published) -> str:
        """Page that shows a document, below the folder of pages; empty for a runbook without one."""
        path = item.document.path
        if path.is_relative_to(self.docs):
            return path.relative_to(self.docs).as_posix()
        return self.homes.get(path.stem, "")

    def all_documents(self) -> list[Published]:
        return [self.document(path) for path in published_documents(self.project, self.docs)]

    def of_page(self, page: str) -> list[Published]:
        """The page's own document, then the runbooks it embeds."""
        names = [name for name, home in self.homes.items() if home == page]
        paths = [self.docs / page, *(self.project.runbooks / f"{name}.md" for name in names)]
        return [self.document(path) for path in paths if path.is_file()]

    def proven(self, documents: Iterable[Published]) -> list[Published]:
        """``documents``, each with proof. Raises DocumentError for one without, unless this is a draft."""
        documents = list(documents)
        for item in documents:
            if not self.draft:
                item.require_proof()
        return documents
