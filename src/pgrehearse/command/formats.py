"""``--format``: the form in which a command says what it found."""

from __future__ import annotations

from collections.abc import Sequence

import click

from pgrehearse.command.workflow_commands import issued
from pgrehearse.findings import FORMATS, Finding, written
from pgrehearse.text.project import Project

__all__ = ["finish", "format_option", "readable"]

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    metavar="FORM",
    help="text, json, sarif or github: json and sarif hold only what is wrong, github adds annotations.",
)


def readable(form: str) -> bool:
    """Whether people read the output: then progress, text and counts belong to it."""
    return form in ("text", "github")


def finish(form: str, findings: Sequence[Finding], project: Project) -> None:
    """Write ``findings`` for other programs; as text they have been told already."""
    if form != "text" and (found := written(form, findings, project.relative)):
        click.echo("\n".join(map(issued, found.split("\n"))) if form == "github" else found)
