"""The form of fences: what GitHub, MkDocs and jupytext must read the same way, fence by fence.

Each rule stands for a document that one of them showed or ran differently: found by trying, not by reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from pgrehearse.findings import Finding
from pgrehearse.majors import SUPPORTED
from pgrehearse.text import characters
from pgrehearse.text.document import LOOKING, Document, is_illustration
from pgrehearse.text.fenced_blocks import Fence, comment_lines, outside
from pgrehearse.text.flaws import flaw
from pgrehearse.text.options import parse_header
from pgrehearse.text.taken_for import taken_for
from pgrehearse.text.uncompared import is_shown

__all__ = ["MACRO", "flaws"]

MACRO = re.compile(r"\[\[[=%#]|[=%#]\]\]")
#: Languages jupytext turns into cells, although nothing here executes them.
_EXECUTING = re.compile(
    r"bash|c\+\+|clojure|csharp|cs|cython|fsharp|fs|gnuplot|go|groovy|haskell|html|java|javascript|js|julia"
    r"|latex|lua|markdown|matlab|maxima|ocaml|octave|perl|powershell|pypy|q|r|ruby|rust|sage|sas|scala|scheme"
    r"|script|sh|sos|spark|stata|svg|tcl|typescript|xonsh"
)
#: Headers superfences takes; after any other it shows the block as prose and takes its end for a beginning.
_STOCK_HEADER = re.compile(r'[\w#.+-]*(?: (?:title|hl_lines|linenums)="[^"]*")*|\{[^{}]*\}')
#: Beginnings of lines outside fences that jupytext takes for something else than text.
_JUPYTEXT = (
    (re.compile(r"<!--\s*#(?:end)?(?:region|markdown|md|raw)\b"), "the mark of a notebook cell"),
    (re.compile(r"```"), "the beginning of a block, and loses the cells after it"),
    (re.compile(r"%%"), "a magic command"),
)
#: What hides Markdown until its end; comments have a rule of their own.
_RAW = re.compile(
    r"<(?P<open>script|style|textarea|pre|\?|!\[CDATA\[)|(?P<end></(?:script|style|textarea|pre)>|\?>|\]\]>)",
    re.I,
)
_CONTAINER = re.compile(
    r"<(?P<end>/?)(?P<tag>article|aside|blockquote|dd|details|div|dl|figure|form|li|ol|section|summary|svg|table|td"
    r"|th|tr|ul)\b",
    re.I,
)


def flaws(document: Document) -> Iterator[Finding]:
    """Everything wrong with the document's characters and fences."""
    yield from _characters(document)
    lines = document.text.split("\n")
    in_comment = comment_lines(lines, list(document.fences))
    outputs = {one.line for cell in document.cells if cell.expected for one in cell.expected.all()}
    for fence in document.fences:
        if not fence.closed:
            fix = f"close it with {fence.marker}"
            yield flaw(fence.line, "unclosed-fence", "this fence is never closed", fix)
        elif lines[fence.end_line - 1] != fence.indent + fence.marker:
            fix = f"close it with {fence.marker} and nothing else, below its beginning"
            yield flaw(fence.end_line, "fence-style", "this fence is not closed as it was opened", fix)
        if fence.language.lower() in document.front.languages:
            yield from _block(fence, in_comment)
        else:
            yield from _other(fence, compared=fence.line in outputs)
    yield from _expected(document)
    yield from _between(document, lines)
    yield from _swallowed(document, lines)
    yield from _unbalanced(document, lines)


def _characters(document: Document) -> Iterator[Finding]:
    if "\r\n" in document.text:
        line = document.text[: document.text.index("\r\n")].count("\n") + 1
        yield flaw(line, "line-endings", "carriage return", "save the file with LF line endings", style=True)
    if found := characters.first(document.text, crlf=True):
        fix = "remove it; in SQL write an escape such as E'\\u2028'"
        yield flaw(found.line, "control-character", found.name, fix, style=True)


def _block(fence: Fence, in_comment: set[int]) -> Iterator[Finding]:
    def here(rule: str, message: str, fix: str) -> Finding:
        return flaw(fence.line, rule, message, fix)

    if fence.indent:
        yield here("fence-style", "an indented fence is published but is no cell", "move it to column 0")
    if fence.marker != "```":
        yield here("fence-style", f"a cell opens with three backticks, not {fence.marker}", "use ```")
    if fence.language != fence.language.lower():
        yield here("language-case", f"language {fence.language!r}", f"write {fence.language.lower()}")
    if not fence.body.strip():
        yield here("empty-cell", "the block is empty", "write a statement, or remove it")
    if fence.line in in_comment:
        yield here(
            "html-comment", "a cell in an HTML comment runs in the notebook only", "remove the comment"
        )
    if MACRO.search(fence.body):
        yield here("macro-in-fence", "a macro delimiter inside a block", "the block must be what it shows")
    for number, text in enumerate(fence.body.split("\n"), fence.line + 1):
        if text.startswith("```"):
            message = "the notebook takes this line for the end of the block"
            yield flaw(number, "fence-style", message, "do not begin a line with three backticks")
    yield from _header(fence)
    if not is_illustration(fence) and _swallows(fence):
        message = "the notebook takes these three quotes in a row for a string that never ends"
        fix = "write the value with $$ ... $$, or put a space between the quotes"
        yield flaw(fence.line, "triple-quote", message, fix, style=True)


def _header(fence: Fence) -> Iterator[Finding]:
    if not is_illustration(fence):
        # A language in upper case is one complaint, not also one about the header.
        for problem in parse_header(fence.info.replace(fence.language, fence.language.lower(), 1))[1]:
            yield replace(problem, line=fence.line)
        return
    if not re.search(r'title="[^"]+"', fence.info):
        fix = 'add the reason: ```{.sql .noeval title="Needs a second server"}'
        message = "an illustration without a reason the reader sees"
        yield flaw(fence.line, "illustration-reason", message, fix)
    if not re.fullmatch(r'\{\.\w+ \.noeval(?: (?:title|hl_lines|linenums)="[^"{}]*")*\}', fence.info):
        fix = 'write it as ```{.sql .noeval title="Needs a second server"}'
        yield flaw(fence.line, "header", "this header is not one of an illustration", fix)


def _other(fence: Fence, *, compared: bool) -> Iterator[Finding]:
    if (real := taken_for(fence.language, fence.body)) and not compared and not is_shown(fence):
        message = f"a reader takes {fence.language or 'this block'} for {real}, and nothing would run it"
        fix = f'write {real}, or {{.{real} .noeval title="..."}} with the reason'
        yield flaw(fence.line, "language-alias", message, fix)
    if not _STOCK_HEADER.fullmatch(fence.info.rstrip()):
        message = f"the site would not take this for a block: ```{fence.info.strip()}"
        fix = 'write the language and, if need be, title="..."'
        yield flaw(fence.line, "header", message, fix, style=True)
    if fence.indent:
        return
    if _EXECUTING.fullmatch(fence.language.lower()) and not fence.info.strip().startswith("{"):
        message = f"in the notebook a {fence.language} fence is a cell that executes"
        fix = "use console or text"
        if fence.language == "bash":
            fix += "; `bash: true` in the front matter executes it here too"
        yield flaw(fence.line, "executing-fence", message, fix, style=True)
    if fence.marker != "```":
        message = f"a fence of {fence.marker} hides the cells after it from the notebook"
        yield flaw(fence.line, "fence-style", message, "use ```", style=True)


def _expected(document: Document) -> Iterator[Finding]:
    """The expected output must be that, to the letter, and say of each server one thing."""
    for cell in document.cells:
        outputs = list(cell.expected.all()) if cell.expected else []
        for one in outputs:
            if MACRO.search(one.text):
                message = "a macro delimiter inside expected output"
                yield flaw(one.line, "macro-in-fence", message, "write ... in its place")
        for before, one in pairwise(outputs):
            if one.major not in SUPPORTED or one.major <= max(before.major, min(SUPPORTED)):
                message = f"PostgreSQL {one.major} and later: that of no server, or of another"
                fix = "name a later major than the output above does, one that is supported"
                yield flaw(one.line, "output-header", message, fix)
            elif not cell.options.runs_on(one.major) and not cell.options.runs_on(max(SUPPORTED)):
                message = "the cell runs on no server that prints this"
                yield flaw(one.line, "output-header", message, "remove it, or mend until")
            if cell.phase in LOOKING:
                message = "a check has one answer, whatever the server"
                yield flaw(one.line, "output-header", message, "ask for what does not depend on the major")


def _between(document: Document, lines: list[str]) -> Iterator[Finding]:
    for number, text in enumerate(lines, 1):
        if text.startswith(":::"):
            message = "jupytext takes a document with this line for Pandoc's Markdown"
            yield flaw(number, "jupytext-line", message, "let the line begin differently", style=True)
    for number, text in outside(lines, list(document.fences)):
        for form, other in _JUPYTEXT:
            if form.match(text):
                message = f"jupytext takes this line for {other}"
                yield flaw(number, "jupytext-line", message, "let the line begin differently", style=True)
        if text and not text.strip():
            message = "a line of only blanks is lost on the way through a notebook"
            yield flaw(number, "blank-line", message, "leave the line empty", style=True)


def _swallowed(document: Document, lines: list[str]) -> Iterator[Finding]:
    """Blocks that become part of what stands above them."""
    begins = {fence.line for fence in document.fences}
    before, glue, element = 0, "", ""
    for number, text in outside(lines, list(document.fences)):
        if number - 1 > before or not text.strip():
            glue = ""
        if re.match(r"(?: {4}|\t)\s*\S", text):
            glue = "indented text"
        elif re.match(r" {0,3}</?[A-Za-z]", text):
            glue = "HTML"
        element = _raw_element(text, element)
        before = number
        if number + 1 in begins and glue:
            message = f"the block below this {glue} is taken for a part of it"
            yield flaw(number, "blank-line", message, "put an empty line before the block", style=True)
        if element and any(line > number for line in begins):
            message = f"nothing after <{element} is shown as a block"
            yield flaw(number, "raw-html", message, "close it on the same line", style=True)


def _unbalanced(document: Document, lines: list[str]) -> Iterator[Finding]:
    found: dict[str, tuple[int, int]] = {}
    for number, text in outside(lines, list(document.fences)):
        for match in _CONTAINER.finditer(re.sub(r"`[^`]*`", "", text)):
            tag = match["tag"].lower()
            balance, line = found.get(tag, (0, number))
            found[tag] = balance + (-1 if match["end"] else 1), line
    for tag, (balance, line) in found.items():
        if balance and document.fences:
            message = f"<{tag}> and </{tag}> do not match, so blocks may vanish"
            yield flaw(line, "raw-html", message, "close what you open", style=True)


def _raw_element(text: str, opened: str) -> str:
    """The element that hides Markdown and is open after this line; ``opened`` is the one before it."""
    for match in _RAW.finditer(re.sub(r"`[^`]*`", "", text)):
        if match["end"] and opened:
            opened = ""
        elif match["open"] and not opened:
            opened = match["open"]
    return opened


def _swallows(fence: Fence) -> bool:
    """Whether jupytext's StringParser thinks that the block ends inside a triple-quoted string."""
    comment = "#" if fence.language == "python" else None
    triple: str | None = None
    for line in fence.body.split("\n"):
        if triple is None and comment and line.lstrip().startswith(comment):
            continue
        triple = _triple_after(line, triple, comment)
    return triple is not None


def _triple_after(line: str, triple: str | None, comment: str | None) -> str | None:
    single: str | None = None
    start = -1
    for i, char in enumerate(line):
        if char == comment and single is None and triple is None:
            break
        if char not in "\"'" or line[i - 1 : i] == "\\":
            continue
        if single is not None:
            single = None if single == char else single
        elif line[i - 2 : i + 1] == 3 * char and i >= start + 3:
            if triple == char:
                triple, start = None, i
            elif triple is None:
                triple, start = char, i
        elif triple is None:
            single = char
    return triple
