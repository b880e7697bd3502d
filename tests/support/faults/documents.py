"""Commands on documents that faults happen to: ``test``, on its own server or another's, and ``build``."""

from __future__ import annotations

from pathlib import Path

from pgrehearse.errors import PgRehearseError
from pgrehearse.execution import records
from support.faults.scenarios import Scenario
from support.processes import PGREHEARSE
from support.projects import HEAD, fence, write
from support.tiny import CONFIG

__all__ = ["Build", "Remote", "Test"]

#: The file a Python cell adds a line to: how far the documents are.
_PROGRESS = "progress"
_ANSWER = " answer\n--------\n{}\n(1 row)\n"
_DOCUMENTS = ("one", "two", "three")


def _document(name: str, progress: Path, answer: str) -> str:
    """A document; its second output is ``answer``, or what `--accept` writes in its place."""
    step = f"with open({str(progress)!r}, 'a') as progress:\n    print({name!r}, file=progress)"
    return "\n".join(
        [
            HEAD,
            f"# {name}\n",
            fence(step, language="python"),
            fence("CREATE TABLE item AS SELECT generate_series(1, 1000) AS n;"),
            fence(step, language="python"),
            fence("SELECT count(*) AS answer FROM item;", expected=answer.rstrip("\n")),
            fence(step, language="python"),
            fence("DROP TABLE item;"),
        ]
    )


class Test(Scenario):
    """``test --accept`` of three documents on a server of its own; every output is new."""

    accepts = True
    wired = False

    def prepare(self) -> None:
        write(self.folder, "pyproject.toml", "")
        for name in _DOCUMENTS:
            write(self.folder, f"docs/{name}.md", self._text(name, "?" if self.accepts else self._answer))

    _answer = _ANSWER.format("   1000")

    def _text(self, name: str, answer: str) -> str:
        return _document(name, self.folder / _PROGRESS, answer)

    def command(self, dsn: str) -> tuple[str, ...]:
        return (*PGREHEARSE, "test", "--no-keep", "--accept")

    def progress(self) -> int:
        progress = self.folder / _PROGRESS
        return len(progress.read_text("utf-8").splitlines()) if progress.exists() else 0

    def meanwhile(self) -> list[str]:
        """A document is as it was or as it will be, and what is recorded of it can be read."""
        wrong = []
        for name in _DOCUMENTS:
            text = (self.folder / "docs" / f"{name}.md").read_text("utf-8")
            if text not in (self._text(name, "?"), self._text(name, self._answer)):
                wrong.append(f"{name}.md is neither old nor new: {text}")
        try:
            records.load_all(self.folder / ".pgrehearse" / "records")
        except PgRehearseError as error:
            wrong.append(str(error))
        return wrong

    def judged(self) -> list[str]:
        wrong = self.meanwhile()
        for name in _DOCUMENTS:
            text = (self.folder / "docs" / f"{name}.md").read_text("utf-8")
            if text != self._text(name, self._answer):
                wrong.append(f"{name}.md is not accepted")
        recorded = records.load_all(self.folder / ".pgrehearse" / "records")
        for name in _DOCUMENTS:
            runs = recorded[f"docs/{name}.md"].runs if f"docs/{name}.md" in recorded else {}
            statuses = {cell.status for run in runs.values() for cell in run.cells}
            if statuses != {"passed"}:
                wrong.append(f"{name}.md: recorded {statuses}")
        return wrong


class Remote(Test):
    """``test`` on a server that is somebody else's: nothing may be left there by whoever can drop it."""

    wired = True

    def prepare(self) -> None:
        super().prepare()
        self.database.mark("disposable")

    def command(self, dsn: str) -> tuple[str, ...]:
        return (*super().command(dsn), "--server", dsn)


class Build(Test):
    """``build`` where an older site stands: readers find that one, whole, until the new one is whole."""

    accepts = False
    goes_on = True

    def prepare(self) -> None:
        super().prepare()
        write(self.folder, "mkdocs.yml", CONFIG)
        write(self.folder, "docs/index.md", "# Home\n")
        write(self.folder, "site/index.html", "old")
        write(self.folder, "site/old/index.html", "old")

    def command(self, dsn: str) -> tuple[str, ...]:
        return (*PGREHEARSE, "build")

    def meanwhile(self) -> list[str]:
        found = {str(path.relative_to(self.folder / "site")) for path in self._files()}
        old = (
            found == {"index.html", "old/index.html"}
            and (self.folder / "site/index.html").read_text() == "old"
        )
        return [*super().meanwhile(), *([] if old else self._new())]

    def _files(self) -> list[Path]:
        return [path for path in (self.folder / "site").rglob("*") if path.is_file()]

    def _new(self) -> list[str]:
        wanted = ["index.html", "404.html", *(f"{name}/index.html" for name in _DOCUMENTS)]
        wrong = [f"site: no {name}" for name in wanted if not (self.folder / "site" / name).is_file()]
        wrong += ["site: a page of the old one"] if (self.folder / "site/old").exists() else []
        for file in self._files():
            if file.suffix == ".html" and "</html>" not in file.read_text("utf-8"):
                wrong.append(f"site: {file.name} ends in the middle")
        return wrong

    def judged(self) -> list[str]:
        return [*super().judged(), *self._new()]
