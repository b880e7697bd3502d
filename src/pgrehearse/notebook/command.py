"""``pgrehearse export``: a runbook as a notebook or as a script for psql."""

from __future__ import annotations

from pathlib import Path

import click

from pgrehearse import files
from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.execution.rehearser import check_form
from pgrehearse.text.document import Document, load
from pgrehearse.text.handbook import is_ours
from pgrehearse.text.lookup import find, project_of
from pgrehearse.text.project import Project
from pgrehearse.text.psql_script import to_psql

__all__ = ["export", "write"]

_FORMS = ("ipynb", "sql")


@click.command()
@click.argument("document")
@click.option(
    "--to",
    "form",
    type=click.Choice(_FORMS),
    help="Which of the two; -o says it by the end of its name, too.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="Default: NAME.ipynb or NAME.sql here; - prints it.",
)
def export(document: str, form: str | None, output: Path | None) -> int:
    """Write DOCUMENT, a file or a runbook's name, as a notebook or as a script for psql."""
    form = form or _form_of(output)
    given = Path(document)
    project = project_of(given if given.is_file() else None)
    path = find(project, document)
    loaded = load(path)
    check_form(loaded, project)
    if output == Path("-"):
        click.echo(_text(loaded, project, form), nl=False)
        return 0
    target = output or Path(f"{path.stem}.{form}")
    write(loaded, project, form, target)
    click.echo(f"wrote {target}")
    return 0


def _form_of(output: Path | None) -> str:
    form = output.suffix.removeprefix(".") if output else ""
    if form not in _FORMS:
        raise click.UsageError("which form? Say --to ipynb or --to sql, or -o with a name that ends so")
    return form


def write(document: Document, project: Project, form: str, target: Path) -> None:
    """Write the export of ``document`` in ``form`` (ipynb or sql). Raises SetupError."""
    files.write(target, _text(document, project, form))


def _text(document: Document, project: Project, form: str) -> str:
    inside = document.path.resolve().is_relative_to(project.root)
    ours = is_ours(document.path) and not inside
    source = f"pgrehearse's runbook {document.path.stem}" if ours else project.relative(document.path)
    return to_psql(document, source) if form == "sql" else _notebook(document, source)


def _notebook(document: Document, source: str) -> str:
    try:
        from pgrehearse.notebook.export import notebook_text
    except ModuleNotFoundError as error:
        raise SetupError(
            f"{error.name} is not installed", next_step="pip install 'pgrehearse[notebook]'"
        ) from error
    if not document.cells:
        raise DocumentError("has no cell", path=document.path, next_step="name a guide or a runbook")
    return notebook_text(document, source)
