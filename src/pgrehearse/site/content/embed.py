"""A runbook as part of a page: Markdown in, Markdown out."""

from __future__ import annotations

import json
import os.path
import posixpath
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.markup import inert, trusted
from pgrehearse.site.content import links
from pgrehearse.site.markup import render
from pgrehearse.text import fenced_blocks
from pgrehearse.text.characters import visible
from pgrehearse.text.document import Document
from pgrehearse.text.project import Project

__all__ = ["Use", "as_page", "macro_uses"]

_USE = re.compile(r"""\[\[=\s*runbook\(\s*(?P<quote>["'])(?P<name>[^"']*)(?P=quote)\s*\)\s*=\]\]""")
_UNRENDERED = re.compile(r"---[ \t]*\n(?:(?!---|\.\.\.).*\n)*?render_macros:[ \t]*false[ \t]*\n")
#: Header of a table that says in words what the site shows as measured.
_WORDS = re.compile(r"\|\s*step\s*\|.*\block\b.*\|\s*who waits\s*\|", re.I)
_RAW = re.compile(r"\[\[%-?\s*raw\s*-?%\]\].*?\[\[%-?\s*endraw\s*-?%\]\]", re.S)

#: The routine by which Apply keeps its receipt; what is shown as sent leaves it out.
_KEEPS = "pg_temp.keep_receipt("
_BY_HAND = (
    "Statements copied from here by hand keep no receipt, and without one [Roll back](#roll-back) refuses."
    " `pgrehearse run`, the notebook and the psql script keep it."
)


@dataclass(frozen=True)
class Use:
    """One use of the macro ``runbook`` on ``line`` of a page; ``problem``: (message, fix) of a wrong form."""

    name: str
    line: int
    problem: tuple[str, str] | None


def macro_uses(markdown: str) -> list[Use]:
    """Every use of the macro ``runbook`` in a page. Text between raw tags is no use, nor is a page that
    says ``render_macros: false`` in its front matter.
    """
    if _UNRENDERED.match(markdown):
        return []
    visible = _RAW.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), markdown)
    lines = visible.split("\n")
    blocks = fenced_blocks.scan(lines)
    uses = []
    for match in _USE.finditer(visible):
        line = visible.count("\n", 0, match.start()) + 1
        inside = any(fence.line < line < (fence.end_line or len(lines) + 1) for fence in blocks)
        problem = None
        if inside:
            fix = (
                "to show the macro, write [[% raw %]] around it, or render_macros: false in the front matter"
            )
            problem = "stands in a block", fix
        elif not _USE.fullmatch(lines[line - 1].rstrip()):
            problem = "must stand alone on its line, at column 0", "give it a line of its own"
        uses.append(Use(match["name"], line, problem))
    return uses


def as_page(
    document: Document,
    project: Project,
    docs: Path,
    page: str,
    homes: Mapping[str, str],
    *,
    own_title: bool,
    box: str = "",
    steps_table: str = "",
) -> str:
    """The runbook as Markdown for the page ``page`` (path below ``docs``).

    ``homes`` maps the name of each runbook to the page that embeds it, for links between runbooks.
    ``own_title``: the page has a title already. ``box``: HTML for the first screen. ``steps_table``: HTML of
    what each step locks, measured; it takes the place of the introduction's own table, which is folded.
    Raises DocumentError for a link that leads nowhere.
    """
    name = document.path.stem
    first = document.front.lines + 1
    body = "\n".join(document.text.replace("\r\n", "\n").split("\n")[document.front.lines :])

    def target(old: str, line: int) -> str:
        return _target(old, line, document, project, docs, page, homes)

    lines = links.rewrite(body, first, target).split("\n")
    phases = {h.title: h.line - first for h in document.headings if h.level == 2}
    title = next((h.line - first for h in document.headings if h.level == 1), None)
    steps = phases.get("Preflight", phases.get("Apply", len(lines)))
    head = lines[title] if title is not None else f"# {document.title}"
    start = 0 if title is None else title + 1
    rehearsal = phases.get("Rehearsal", len(lines))
    parts = [
        "" if own_title else head,
        f"{document.front.description}\n{{ .run-lead }}" if document.front.description else "",
        _downloads(name, "Preflight" if "Preflight" in phases else "Apply"),
        box,
        "\n".join(_with_measured(lines[start:steps], steps_table)).strip("\n"),
        _parameters(document, project),
        "\n".join(_with_receipt_note(document, lines, steps, phases.get("Apply"), rehearsal)).strip("\n"),
        _rehearsal(lines[rehearsal:]),
    ]
    return "\n" + "\n\n".join(part for part in parts if part) + "\n"


def _downloads(name: str, first_phase: str) -> str:
    files = ((".ipynb", "Notebook"), (".sql", "psql script"), (".md", "Markdown source"))
    return render("downloads", name=name, steps=first_phase.lower().replace(" ", "-"), files=files)


def _parameters(document: Document, project: Project) -> str:
    parameters = document.front.parameters.values()
    path = project.relative(document.path)
    needed = [p for p in parameters if p.default is None]
    run = f"pgrehearse run {shlex.quote(path)}"
    run += "".join(f" \\\n  --set {p.name}={_quoted(p.example)}" for p in needed)
    psql = "psql -X" + "".join(f" \\\n  -v {p.name}={_quoted(p.example)}" for p in parameters)
    psql += f" \\\n  -f {shlex.quote(document.path.stem)}.sql"
    commands = (
        f"Run it on the database that libpq's environment names:\n\n{_console(run)}\n\n"
        f"`--sql` behind it prints what it would send there, and sends nothing."
        f" Without pgrehearse, take the psql script above:\n\n{_console(psql)}"
    )
    if not parameters:
        return f"## Parameters\n\nThis runbook takes none. {commands}"
    rows = "\n".join(
        f"| `{p.name}` | {_cell(p.description)} | {_example(p.example, p.default)} |" for p in parameters
    )
    data = {
        "runbook": path,
        "script": f"{document.path.stem}.sql",
        "parameters": [
            {"name": p.name, "example": p.example, "default": p.default, "kind": p.kind.value}
            for p in parameters
        ],
    }
    fields = render("parameters", data=json.dumps(data))
    said = "The steps below show what a rehearsal sent with these examples."
    table = f"| name | meaning | example |\n|---|---|---|\n{rows}"
    return f"## Parameters\n\n{said}\n\n{fields}\n\n{table}\n\n{commands}"


def _console(command: str) -> str:
    """A block with just the command: no prompt, and no language that a cell could have."""
    fence = "`" * max(3, *(len(ticks) + 1 for ticks in re.findall("`*", command)))
    return f"{fence}console\n{command}\n{fence}"


def _quoted(value: str) -> str:
    """``value`` for a shell; with what cannot be seen in it spelled, and read by the shell as it was."""
    if visible(value) == value:
        return shlex.quote(value)
    spelled = visible(value.replace("\\", "\\\\").replace("'", "\\'"))
    return f"$'{spelled}'"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _example(example: str, default: str | None) -> str:
    return render("example", example=inert(example), default=default and inert(default))


def _with_measured(lines: list[str], table: str) -> list[str]:
    """The introduction with the measured ``table``, and its first table of steps and locks folded below that.

    That one is not left out: it has the steps without DDL, and GitHub and notebooks show nothing else.
    """
    if not table:
        return lines
    first = next((number for number, line in enumerate(lines) if _WORDS.match(line)), None)
    if first is None:
        return [*lines, "", table]
    end = next((n for n in range(first, len(lines)) if not lines[n].startswith("|")), len(lines))
    words = _folded("run-words", "The steps in words", "\n".join(lines[first:end]))
    return [*lines[:first], table, "", words, *lines[end:]]


def _folded(kind: str, summary: str, markdown: str) -> str:
    """Markdown of a part that is folded behind its ``summary``."""
    return render("folded", kind=kind, summary=summary, markdown=trusted(f"\n\n{markdown}\n\n"))


def _with_receipt_note(
    document: Document, lines: list[str], steps: int, apply: int | None, end: int
) -> list[str]:
    """The steps; below the heading of Apply, what a reader gives up who copies its statements by hand.

    ``steps``, ``apply``, ``end``: lines where the steps begin, where Apply does, and where they end.
    """
    back = any(h.level == 2 and h.title == "Roll back" for h in document.headings)
    keeps = any(cell.phase == "Apply" and _KEEPS in cell.source for cell in document.cells)
    if apply is None or not (back and keeps):
        return lines[steps:end]
    return [*lines[steps : apply + 1], "", f"{_BY_HAND}\n{{ .run-by-hand }}", "", *lines[apply + 1 : end]]


def _rehearsal(lines: list[str]) -> str:
    """The phase Rehearsal: heading, then a folded part that says where these blocks run."""
    if not lines:
        return ""
    inner = "\n".join(lines[1:]).strip("\n")
    said = (
        "These blocks run only on disposable databases. They make the situation this runbook is for, and a"
        " rehearsal executes them first."
    )
    return f"{lines[0]}\n\n{_folded('run-rehearsal', said, inner)}"


def _target(
    old: str, line: int, document: Document, project: Project, docs: Path, page: str, homes: Mapping[str, str]
) -> str:
    path, mark, anchor = old.partition("#")
    wanted = Path(os.path.normpath(document.path.parent.resolve() / path))
    here = posixpath.dirname(page)
    if wanted.parent == project.runbooks.resolve() and wanted.suffix == ".md":
        home = homes.get(wanted.stem)
        if home is None:
            raise DocumentError(
                f"link to {old}: no page embeds that runbook",
                path=project.relative(document.path),
                line=line,
                next_step=f'embed it: [[= runbook("{wanted.stem}") =]]',
            )
        return posixpath.relpath(home, here or ".") + mark + anchor
    if wanted.is_relative_to(docs.resolve()):
        return posixpath.relpath(wanted.relative_to(docs.resolve()).as_posix(), here or ".") + mark + anchor
    raise DocumentError(
        f"link to {old}: that file is not part of the site",
        path=project.relative(document.path),
        line=line,
        next_step="link to a page below the documents folder, to a runbook, or to a full URL",
    )
