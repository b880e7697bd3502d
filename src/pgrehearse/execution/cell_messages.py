"""The messages of an sql cell, whoever sends them: split as psql does, with the values of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.execution.escort import Message
from pgrehearse.text import variables
from pgrehearse.text.document import Cell
from pgrehearse.text.split import SplitError, split

__all__ = ["messages"]


def messages(cell: Cell, values: Mapping[str, str], path: Path) -> list[Message]:
    """What ``cell`` of the document at ``path`` sends, one message a statement.

    Raises DocumentError: it cannot be split. SetupError: a parameter has no value, or one that cannot be
    quoted.
    """
    try:
        return [
            Message(variables.substitute(s.sql, values), s.line, s.gexec, number)
            for number, s in enumerate(split(cell.source), 1)
        ]
    except SplitError as error:
        raise DocumentError(
            error.message, path=path, line=cell.line + error.line, next_step=error.fix
        ) from None
    except KeyError as name:
        raise SetupError(
            f"parameter {name} has no value",
            path=path,
            line=cell.line,
            next_step=f"give one: --set {name.args[0]}=...",
        ) from None
    except ValueError as error:
        raise SetupError(
            f"a parameter value cannot be quoted: {error}",
            path=path,
            line=cell.line,
            next_step="give another value",
        ) from None
