"""A document as a Jupyter notebook: options become arguments of magics, outputs become checks."""

from __future__ import annotations

import keyword
import re
from typing import Any

import jupytext
import nbformat

from pgrehearse import queries
from pgrehearse.errors import DocumentError
from pgrehearse.notebook import expected
from pgrehearse.text.document import LOOKING, Cell, Document, parse
from pgrehearse.text.front_matter import Parameter
from pgrehearse.text.variables import quote_literal
from pgrehearse.text.written_names import NameKind

__all__ = ["notebook_text", "to_notebook"]

_MACRO_LINE = re.compile(r"^\[\[([=%#]).*\1\]\]\s*$")
#: Options that say nothing to a notebook: names for the project, claims for the measurement, and the timeout,
#: which limits rehearsals: whoever runs a cell decides how long it may take.
_NOT_FOR_MAGIC = ("blocks", "lock", "name", "rewrite", "scan", "snippet", "timeout")
#: Which part of a notebook a phase belongs to, other than forward.
_PARTS = {"Roll back": "back", **dict.fromkeys(LOOKING, "checks")}
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def to_notebook(document: Document, source: str) -> Any:
    """The notebook of ``document``; ``source`` names the Markdown file for the reader.

    Cells of the phase Rehearsal are left out: they are for disposable databases. Raises DocumentError for a
    document with bash cells.
    """
    if any(cell.language == "bash" for cell in document.cells):
        raise DocumentError(
            "this page runs commands in a folder of its own; a notebook would run them in yours",
            path=document.path,
            next_step="run it with pgrehearse test",
        )
    notebook = jupytext.reads(_markdown(document), fmt="md")
    cells = [cell for cell in notebook.cells if cell.cell_type != "raw"]
    notebook.cells = [*_opening(document, source), *cells]
    notebook.metadata = nbformat.from_dict({"kernelspec": _KERNEL})
    for number, cell in enumerate(notebook.cells, 1):
        cell.metadata = nbformat.from_dict({})
        cell["id"] = f"cell-{number}"
    nbformat.validate(notebook)
    return notebook


def notebook_text(document: Document, source: str) -> str:
    """The notebook of ``document`` as the text of its file."""
    return str(nbformat.writes(to_notebook(document, source))).rstrip("\n") + "\n"


def _opening(document: Document, source: str) -> list[Any]:
    text = (
        f"*Made from `{source}`.* libpq's environment names the database: set `PGHOST`, `PGDATABASE` or "
        "`PGSERVICE` before Jupyter starts. The database must say which environment it is. "
        "Run the cells from the top; each one stops the notebook when something is not as written."
    )
    lines = ["%load_ext pgrehearse.notebook"]
    if not document.is_runbook:
        lines += [
            "# Only on a database marked for rehearsals: a guide breaks things to show how.",
            "%rehearsal",
        ]
    if document.front.parameters:
        lines += ["", "# Parameters: put your own values here."]
        lines += [_assignment(parameter, document) for parameter in document.front.parameters.values()]
        named = [
            one for one in document.front.parameters.values() if one.kind not in (NameKind.TEXT, NameKind.SQL)
        ]
        if named:
            lines += ["%kinds " + " ".join(f"{one.name}={one.kind.value}" for one in named)]
    if document.is_runbook:
        lines += ["", "# True: run the Roll back steps, and only those.", "roll_back = False"]
    cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell("\n".join(lines))]
    if document.is_runbook:
        cells.append(nbformat.v4.new_code_cell("%%sql\nSET lock_timeout = '2s';"))
    return cells


def _assignment(parameter: Parameter, document: Document) -> str:
    if parameter.name == "roll_back" or keyword.iskeyword(parameter.name):
        raise DocumentError(
            f"parameter {parameter.name!r} cannot be a variable of a notebook",
            path=document.path,
            next_step="give it another name",
        )
    value = parameter.example if parameter.default is None else parameter.default
    return f"{parameter.name} = {value!r}  # {' '.join(parameter.description.split())}"


def _markdown(document: Document) -> str:
    """The document's Markdown in the dialect the notebook needs; rewritten from the bottom up."""
    lines = document.text.split("\n")
    back = next((cell for cell in document.cells if cell.phase == "Roll back"), None)
    for cell in reversed(document.cells):
        lines[cell.line - 1 : _end(cell)] = [*(_rolled_back(document) if cell is back else []), *_fence(cell)]
    text = "\n".join(lines[document.front.lines :])
    text = _without_rehearsal(parse(text, document.path))
    kept = [line for line in text.split("\n") if not _MACRO_LINE.match(line)]
    # The vote jupytext would take on the notebook's language must not be left to chance.
    return "---\njupyter:\n  jupytext:\n    main_language: python\n---\n" + "\n".join(kept)


def _without_rehearsal(document: Document) -> str:
    start = next((h.line for h in document.headings if h.level == 2 and h.title == "Rehearsal"), None)
    if start is None:
        return document.text
    after = [h.line for h in document.headings if h.level <= 2 and h.line > start]
    lines = document.text.split("\n")
    return "\n".join(lines[: start - 1] + (lines[after[0] - 1 :] if after else []))


def _rolled_back(document: Document) -> list[str]:
    """A cell that says so to `pgrehearse run`, which would go on from what it had done before."""
    text = queries.text("rolled_back", runbook=quote_literal(document.path.name)).decode()
    return ['```sql magic_args="--only back"', *text.rstrip().split("\n"), "```", ""]


def _end(cell: Cell) -> int:
    return [one.end_line for one in cell.expected.all()][-1] if cell.expected else cell.end_line


def _fence(cell: Cell) -> list[str]:
    """The cell as jupytext wants it: it writes the value of magic_args after ``%%sql``."""
    source = cell.source
    if cell.expected is not None:
        source = expected.join(cell.language, source, cell.expected)
    arguments = _arguments(cell)
    if cell.language == "sql":
        return ["```sql" + (f' magic_args="{arguments}"' if arguments else ""), *source.split("\n"), "```"]
    magic = [f"%%cell {arguments}".rstrip()] if arguments or cell.expected else []
    return ["```python", *magic, *source.split("\n"), "```"]


def _arguments(cell: Cell) -> str:
    """Options as arguments of the magic.

    A step of a runbook also says to which part it belongs, so that "Run all" never does and undoes, and
    checks only look.
    """
    pairs = re.findall(r'([a-z][a-z0-9_]*)="([^"]*)"', cell.info)
    words = [f"--{key} {value}" for key, value in pairs if key not in _NOT_FOR_MAGIC]
    if cell.phase is not None:
        words.append(f"--only {_PARTS.get(cell.phase, 'forward')}")
    return " ".join(words)
