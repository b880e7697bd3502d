"""The linter of the file format: each problem with file, line and the fix.

The format is the intersection of what GitHub, MkDocs, jupytext and the runner read the same way; outside
it one of them silently shows or runs something else. Rules marked *error* would make a run dishonest and
stop it; the others (*style*) only matter for the site and the notebook, and stop the gate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text import variables
from pgrehearse.text.document import PHASES, Cell, Document, is_illustration
from pgrehearse.text.fences import Fence, comment_lines, outside
from pgrehearse.text.options import LANGUAGES, parse_header
from pgrehearse.text.split import SplitError, split

__all__ = ["Problem", "check", "errors"]

#: Fences jupytext turns into executing cells although nothing here executes them.
_EXECUTING = re.compile(r"bash|sh|zsh|html|js|javascript|perl|ruby|latex|svg|cython|R|r|julia|scheme|go|rust")
_MACRO = re.compile(r"\[\[[=%#]|[=%#]\]\]")


@dataclass(frozen=True)
class Problem:
    """One complaint. ``rule`` is its name in the documentation."""

    path: Path
    line: int
    rule: str
    message: str
    fix: str
    style: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message} [{self.rule}]\n  next: {self.fix}"

    def error(self) -> DocumentError:
        return DocumentError(self.message, path=self.path, line=self.line, next_step=self.fix)


def check(document: Document) -> list[Problem]:
    """Everything wrong with the document's form, in the order of its lines."""
    found = [problem for rule in _RULES for problem in rule(document)]
    return sorted(found, key=lambda p: (p.line, p.rule))


def errors(document: Document) -> list[Problem]:
    """The problems that must stop a run."""
    return [problem for problem in check(document) if not problem.style]


def _line_endings(document: Document) -> Iterator[Problem]:
    if "\r" in document.text:
        line = document.text[: document.text.index("\r")].count("\n") + 1
        fix = "save the file with LF line endings"
        yield Problem(document.path, line, "line-endings", "carriage return", fix, style=True)


def _fence_form(document: Document) -> Iterator[Problem]:
    lines = document.text.split("\n")
    in_comment = comment_lines(lines)
    for fence in document.fences:
        language = fence.language
        if language.lower() not in LANGUAGES:
            yield from _other_fence(document, fence)
            continue
        for rule, message, fix in _form_of(fence, in_comment):
            yield Problem(document.path, fence.line, rule, message, fix)


def _form_of(fence: Fence, in_comment: set[int]) -> Iterator[tuple[str, str, str]]:
    if not fence.closed:
        yield "unclosed-fence", "this fence is never closed", f"close it with {fence.marker}"
    if fence.indent:
        yield "fence-style", "an indented fence is published but is no cell", "move it to column 0"
    if fence.marker[0] == "~" or len(fence.marker) != 3:
        yield "fence-style", f"a cell opens with three backticks, not {fence.marker}", "use ```"
    if fence.language != fence.language.lower():
        yield "language-case", f"language {fence.language!r}", f"write {fence.language.lower()}"
    if not fence.body.strip():
        yield "empty-cell", "the block is empty", "write a statement, or remove it"
    if fence.line in in_comment:
        yield "html-comment", "a cell in an HTML comment runs in the notebook only", "remove the comment"
    if _MACRO.search(fence.body):
        yield "macro-in-fence", "a macro delimiter inside a block", "the block must be what it shows"


def _other_fence(document: Document, fence: Fence) -> Iterator[Problem]:
    if not fence.closed:
        fix = f"close it with {fence.marker}"
        yield Problem(document.path, fence.line, "unclosed-fence", "this fence is never closed", fix)
    if _EXECUTING.fullmatch(fence.language) and not fence.indent and fence.info.strip() == fence.language:
        message = f"in the notebook a {fence.language} fence is a cell that executes"
        yield Problem(
            document.path, fence.line, "executing-fence", message, "use console or text", style=True
        )


def _headers(document: Document) -> Iterator[Problem]:
    for fence in document.fences:
        if fence.language.lower() not in LANGUAGES:
            continue
        if is_illustration(fence):
            if not re.search(r'title="[^"]+"', fence.info):
                fix = 'add the reason: ```{.sql .noeval title="Needs a second server"}'
                message = "an illustration without a reason the reader sees"
                yield Problem(document.path, fence.line, "illustration-reason", message, fix)
            continue
        for problem in parse_header(fence.info)[1]:
            yield Problem(document.path, fence.line, problem.rule, problem.message, problem.fix)


def _sql(document: Document) -> Iterator[Problem]:
    for cell in document.cells:
        if cell.language != "sql":
            continue
        try:
            statements = split(cell.source)
        except SplitError as error:
            line = cell.line + error.line
            yield Problem(document.path, line, "sql", error.message, error.fix)
            continue
        if not statements:
            yield Problem(document.path, cell.line, "empty-cell", "no statement in it", "write one")
            continue
        yield from _parameters(document, cell)


def _parameters(document: Document, cell: Cell) -> Iterator[Problem]:
    declared = document.front.parameters
    for name, line in variables.used(cell.source).items():
        if name not in declared:
            fix = f"declare {name} under parameters: in the front matter"
            message = f"variable {name!r} is no parameter of this document"
            yield Problem(document.path, cell.line + line, "undeclared-parameter", message, fix)
    for name, line in variables.raw(cell.source).items():
        if name in declared:
            fix = f"write :'{name}' for a value or :\"{name}\" for an identifier"
            message = f"psql would put the value of {name!r} in unquoted"
            yield Problem(document.path, cell.line + line, "unquoted-parameter", message, fix)


def _unused_parameters(document: Document) -> Iterator[Problem]:
    text = "\n".join(cell.source for cell in document.cells)
    for name in document.front.parameters:
        if not re.search(rf"\b{name}\b", text):
            message = f"parameter {name!r} is used by no cell"
            yield Problem(document.path, 1, "unused-parameter", message, "remove it", style=True)


def _waits(document: Document) -> Iterator[Problem]:
    known: set[str] = set()
    for cell in document.in_order():
        if cell.language != "sql":
            continue
        wait = cell.options.wait
        if wait is not None and (wait not in known or wait == cell.options.session):
            message = f"wait={wait!r} names no other session that an earlier cell uses"
            fix = "name the session that holds the lock"
            yield Problem(document.path, cell.line, "wait-session", message, fix)
        known.add(cell.options.session)


def _names(document: Document) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for cell in document.cells:
        name = cell.options.name
        if name and name in seen:
            message = f"name {name!r} stands already on line {seen[name]}"
            yield Problem(document.path, cell.line, "duplicate-name", message, "choose another name")
        elif name:
            seen[name] = cell.line


def _jupytext(document: Document) -> Iterator[Problem]:
    if document.cells and document.front.main_language != "python":
        message = "without main_language jupytext guesses the notebook's language by majority"
        fix = (
            "add to the front matter, as three lines: `jupyter:`, `  jupytext:`, `    main_language: python`"
        )
        yield Problem(document.path, 1, "jupytext-language", message, fix, style=True)


def _phases(document: Document) -> Iterator[Problem]:
    if not document.is_runbook:
        return
    headings = [h for h in document.headings if h.level == 2 and h.title in PHASES]
    titles = [h.title for h in headings]
    wanted = [p for p in PHASES if p in titles or p != "Rehearsal"]
    if titles != wanted:
        line = headings[0].line if headings else 1
        message = f"phases are {', '.join(titles) or 'missing'}"
        yield Problem(document.path, line, "phases", message, "write them as: " + ", ".join(wanted))
    for heading in headings:
        if not any(cell.phase == heading.title for cell in document.cells):
            fix = "write the step, or what proves that there is none"
            message = f"phase {heading.title} has no cell"
            yield Problem(document.path, heading.line, "phases", message, fix)
    for cell in document.cells:
        if cell.phase is None:
            message = "a cell of a runbook stands outside its phases"
            yield Problem(document.path, cell.line, "phases", message, "move it below a phase heading")
        elif cell.phase != "Rehearsal" and (cell.options.session != "main" or cell.options.wait):
            message = "a step of a runbook uses another session: an operator has one"
            yield Problem(document.path, cell.line, "phases", message, "write it for the session main")


def _runbook_macros(document: Document) -> Iterator[Problem]:
    if not document.is_runbook:
        return
    lines = document.text.split("\n")[document.front.lines :]
    for line, text in outside(lines, list(document.fences), document.front.lines + 1):
        if _MACRO.search(text):
            message = "a runbook is a notebook too: it holds no macros"
            yield Problem(document.path, line, "runbook-macro", message, "write plain Markdown")


_RULES: tuple[Callable[[Document], Iterator[Problem]], ...] = (
    _line_endings,
    _fence_form,
    _headers,
    _sql,
    _unused_parameters,
    _waits,
    _names,
    _jupytext,
    _phases,
    _runbook_macros,
)
