"""Snippets: named texts that pages, runbooks and the program share, one file each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text import characters
from pgrehearse.text.document import Cell, Document
from pgrehearse.text.handbook import SNIPPETS, is_ours
from pgrehearse.text.project import Project

__all__ = ["Snippets"]

_SUFFIX = {"sql": ".sql", "python": ".py", "bash": ".sh"}


@dataclass(frozen=True)
class Snippets:
    """The snippets below ``folder``: ``sql/NAME.sql``, ``python/NAME.py``, ``bash/NAME.sh``.

    Those of the package stand in for what is not there: a runbook that was copied from it names them.
    """

    folder: Path

    @classmethod
    def of(cls, document: Document, project: Project) -> Snippets:
        """Those that the cells of ``document`` name, read in ``project``."""
        return cls(SNIPPETS if is_ours(document.path) else project.snippets)

    def names(self, language: str) -> list[str]:
        return sorted(p.stem for p in (self.folder / language).glob("*" + _SUFFIX[language]))

    def text(self, language: str, name: str) -> str:
        """The text of a snippet without its final newline. Raises DocumentError when there is none."""
        place = Path(language) / (name + _SUFFIX[language])
        file = next((one for one in (self.folder / place, SNIPPETS / place) if one.is_file()), None)
        if file is None:
            known = ", ".join(self.names(language)) or "none"
            raise DocumentError(
                f"no snippet {name!r}", path=self.folder / place, next_step=f"known snippets: {known}"
            )
        return characters.read(file).replace("\r\n", "\n").rstrip("\n")

    def out_of_sync(self, document: Document) -> list[Cell]:
        """Cells whose text differs from the snippet they name. Raises DocumentError for a wrong name."""
        return [cell for cell in document.cells if self._wanted(document, cell) not in (None, cell.source)]

    def synced(self, document: Document) -> str:
        """The document's text with every snippet cell rewritten; bottom-up, so lines keep their numbers."""
        lines = document.text.split("\n")
        for cell in reversed(self.out_of_sync(document)):
            wanted = self._wanted(document, cell) or ""
            lines[cell.line : cell.end_line - 1] = wanted.split("\n")
        return "\n".join(lines)

    def _wanted(self, document: Document, cell: Cell) -> str | None:
        if cell.options.snippet is None:
            return None
        try:
            return self.text(cell.language, cell.options.snippet)
        except DocumentError as error:
            raise DocumentError(
                f"{error.message} for this cell",
                path=document.path,
                line=cell.line,
                next_step=error.next_step,
            ) from None
