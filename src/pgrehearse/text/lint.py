"""The linter of the file format: each problem with file, line and the fix.

The format is the intersection of what GitHub, MkDocs, jupytext and the runner read the same way; outside
it one of them silently shows or runs something else. Rules marked *error* would make a run dishonest and
stop it; the others (*style*) only matter for the site and the notebook, and stop the gate.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

from pgrehearse.findings import Finding, Severity
from pgrehearse.text import fence_form, standing, uncompared, variables
from pgrehearse.text.document import LOOKING, PHASES, Cell, Document
from pgrehearse.text.fenced_blocks import outside
from pgrehearse.text.flaws import flaw
from pgrehearse.text.looking import Precaution, way_of
from pgrehearse.text.split import SplitError, split

__all__ = ["check", "errors"]


def check(document: Document) -> list[Finding]:
    """Everything wrong with the document's form, in the order of its lines."""
    found = [replace(problem, path=document.path) for rule in _RULES for problem in rule(document)]
    return sorted(found, key=lambda p: (p.line, p.check))


def errors(document: Document) -> list[Finding]:
    """The problems that must stop a run."""
    return [problem for problem in check(document) if problem.severity is not Severity.HYGIENE]


def _sql(document: Document) -> Iterator[Finding]:
    for cell in document.cells:
        if cell.language != "sql":
            continue
        try:
            statements = split(cell.source)
        except SplitError as error:
            line = cell.line + error.line
            yield flaw(line, "sql", error.message, error.fix)
            continue
        if not statements and cell.source.strip():
            yield flaw(cell.line, "empty-cell", "no statement in it", "write one")
        yield from _parameters(document, cell)


def _python(document: Document) -> Iterator[Finding]:
    for cell in document.cells:
        if cell.language != "python":
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(cell.source)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            message = f"not Python: {getattr(error, 'msg', error)}"
            yield flaw(cell.line + line, "python", message, "mend the line")


def _parameters(document: Document, cell: Cell) -> Iterator[Finding]:
    declared = document.front.parameters
    for name, line in variables.used(cell.source).items():
        if name not in declared:
            fix = f"declare {name} under parameters: in the front matter"
            message = f"variable {name!r} is no parameter of this document"
            yield flaw(cell.line + line, "undeclared-parameter", message, fix)
    for name, line in variables.raw(cell.source).items():
        if name in declared:
            fix = f"write :'{name}' for a value or :\"{name}\" for an identifier"
            message = f"psql would put the value of {name!r} in unquoted"
            yield flaw(cell.line + line, "unquoted-parameter", message, fix)


def _unused_parameters(document: Document) -> Iterator[Finding]:
    text = "\n".join(cell.source for cell in document.cells)
    for name in document.front.parameters:
        if not re.search(rf"\b{name}\b", text):
            message = f"parameter {name!r} is used by no cell"
            yield flaw(1, "unused-parameter", message, "remove it", style=True)


def _waits(document: Document) -> Iterator[Finding]:
    known: set[str] = set()
    for cell in document.in_order():
        if cell.language != "sql":
            continue
        wait = cell.options.wait
        if wait is not None and (wait not in known or wait == cell.options.session):
            message = f"wait={wait!r} names no other session that an earlier cell uses"
            fix = "name the session that holds the lock"
            yield flaw(cell.line, "wait-session", message, fix)
        known.add(cell.options.session)


def _names(document: Document) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for cell in document.cells:
        name = cell.options.name
        if name and name in seen:
            message = f"name {name!r} stands already on line {seen[name]}"
            yield flaw(cell.line, "duplicate-name", message, "choose another name")
        elif name:
            seen[name] = cell.line


def _recordings(document: Document) -> Iterator[Finding]:
    known = {cell.options.name for cell in document.cells if cell.options.name}
    header = document.text.split("\n")[: document.front.lines]
    for recording in document.front.recordings.values():
        starts = (i for i, text in enumerate(header, 1) if text.strip().startswith(f"{recording.name}:"))
        line = next(starts, 1)
        for name in [name for way in recording.ways for name in way.cells if name not in known]:
            message = f"recording {recording.name!r} names no cell: {name!r}"
            fix = f'give a cell name="{name}"; named are: ' + (", ".join(sorted(known)) or "none")
            yield flaw(line, "recording-cell", message, fix)


def _jupytext(document: Document) -> Iterator[Finding]:
    if not document.cells:
        return
    header = document.text.split("\n")[: document.front.lines]
    # jupytext finds the key by this line, not by reading YAML; `jupyter: {...}` it takes for a raw cell.
    found = any(re.fullmatch(r"jupyter\s*:\s*", line) for line in header)
    if document.front.main_language != "python" or not found:
        message = "without main_language jupytext guesses the notebook's language by majority"
        fix = "write in the front matter, on two lines:\njupyter:\n  jupytext: {main_language: python}"
        yield flaw(1, "jupytext-language", message, fix, style=True)
    elif header[-1].rstrip() != "---":
        message = "jupytext does not see the end of the front matter"
        yield flaw(len(header), "jupytext-language", message, "end it with ---", style=True)


def _phases(document: Document) -> Iterator[Finding]:
    if not document.is_runbook:
        return
    if document.front.programs:
        message = "a runbook needs no programs: where one is missing it would pass untried"
        yield flaw(1, "phases", message, "take programs out of the front matter")
    headings = [h for h in document.headings if h.level == 2 and h.title in PHASES]
    titles = [h.title for h in headings]
    wanted = [p for p in PHASES if p in titles or p != "Rehearsal"]
    if titles != wanted:
        line = headings[0].line if headings else 1
        message = f"phases are {', '.join(titles) or 'missing'}"
        yield flaw(line, "phases", message, "write them as: " + ", ".join(wanted))
    for heading in headings:
        if not any(cell.phase == heading.title for cell in document.cells):
            fix = "write the step, or what proves that there is none"
            message = f"phase {heading.title} has no cell"
            yield flaw(heading.line, "phases", message, fix)
    for cell in document.cells:
        if cell.phase is None:
            message = "a cell of a runbook stands outside its phases"
            yield flaw(cell.line, "phases", message, "move it below a phase heading")
        elif cell.phase != "Rehearsal" and (cell.options.session != "main" or cell.options.wait):
            message = "a step of a runbook uses another session: an operator has one"
            yield flaw(cell.line, "phases", message, "write it for the session main")
        elif cell.phase in LOOKING and cell.language == "sql" and _ends_transactions(cell):
            message = "Preflight and Verify run in READ ONLY transactions of their own"
            yield flaw(cell.line, "phases", message, "leave out what begins or ends a transaction")
        elif cell.language == "bash":
            message = "a runbook holds SQL and Python: a notebook and psql have no shell"
            yield flaw(cell.line, "phases", message, "write it on a guide, or as SQL")


def _ends_transactions(cell: Cell) -> bool:
    try:
        return any(way_of(statement.sql) is Precaution.REFUSED for statement in split(cell.source))
    except SplitError:  # a flaw of its own
        return False


def _runbook_macros(document: Document) -> Iterator[Finding]:
    if not document.is_runbook:
        return
    lines = document.text.split("\n")[document.front.lines :]
    for line, text in outside(lines, list(document.fences), document.front.lines + 1):
        if fence_form.MACRO.search(text):
            message = "a runbook is a notebook too: it holds no macros"
            yield flaw(line, "runbook-macro", message, "write plain Markdown")


_RULES: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    fence_form.flaws,
    uncompared.flaws,
    _sql,
    _python,
    _unused_parameters,
    standing.flaws,
    _waits,
    _names,
    _recordings,
    _jupytext,
    _phases,
    _runbook_macros,
)
