"""Which values the parameters of a runbook have on a shape: ``zoo/runbooks.toml``, one table a runbook.

Words in braces are names of the shape, or of the table ``names`` here. ``{table}`` stands as it is,
``{column!i}`` as an identifier in quotes, ``{label!l}`` as a literal. A runbook is tried on each shape
that has all names.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgrehearse.errors import DocumentError
from pgrehearse.measurement.zoo.shapes import Shape, folder
from pgrehearse.text.project import Project
from pgrehearse.text.variables import quote_identifier, quote_literal

__all__ = ["Filling", "Fillings"]


@dataclass(frozen=True)
class Filling:
    """A runbook on a shape.

    Attributes:
        values: of its parameters.
        table: as SQL writes it, also where no parameter names it.
        set_up: statements of a superuser that make the situation the runbook is for, in the copy.
        done: questions with one answer, true, when Verify has said ok.
        before: a query for values that the runbook may not lose, asked where it did not run.
        after: the query that finds the same values when it is done.
        announced: SQLSTATE -> words; a request with one of them may fail so, the page says it.
        changes_values: what a request reads is another value afterwards, by design.
        leaves: words; a difference that Roll back leaves is by design when it has one of them.
    """

    values: Mapping[str, str]
    table: str
    set_up: Sequence[str]
    done: Sequence[str]
    before: str
    after: str
    announced: Mapping[str, Sequence[str]]
    changes_values: bool
    leaves: Sequence[str]


class _Words(string.Formatter):
    def convert_field(self, value: Any, conversion: str | None) -> Any:
        if conversion == "i":
            return quote_identifier(value)
        return quote_literal(value) if conversion == "l" else super().convert_field(value, conversion)


class Fillings:
    """All fillings of ``project``. Raises DocumentError for a file that cannot be read."""

    def __init__(self, project: Project) -> None:
        path = folder(project) / "runbooks.toml"
        try:
            self._data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise DocumentError(
                f"cannot be read: {error}", path=path, next_step="write a table for each runbook"
            ) from None
        self._names = self._data.pop("names", {})
        without = next((name for name, table in self._data.items() if "values" not in table), None)
        if without is not None:
            raise DocumentError(
                f"[{without}] has no values", path=path, next_step='write values = { parameter = "{name}" }'
            )

    def of(self, runbook: str, shape: Shape) -> Filling | None:
        """How ``runbook`` is tried on ``shape``; None where a name is missing."""
        try:
            return self._of(self._data[runbook], runbook, shape)
        except KeyError:
            return None

    def lacking(self, runbook: str, shape: Shape) -> str:
        """Why ``runbook`` is not tried on ``shape``; empty when it is."""
        if runbook not in self._data:
            return f"no table [{runbook}] is there"
        try:
            self._of(self._data[runbook], runbook, shape)
        except KeyError as error:
            return f"[{runbook}] uses the name {error.args[0]}, which {shape.path.name} has not"
        return ""

    def _of(self, table: Mapping[str, Any], runbook: str, shape: Shape) -> Filling:
        """The filling. Raises KeyError for a name that is missing."""
        names = {**self._names, **shape.names}
        own = shape.parameters.get(runbook, {})
        names |= {key: _said(text, names) for key, text in self._names.items() if key not in shape.names}
        given = {key: _said(text, names) for key, text in table["values"].items() if key not in own}
        values = {**given, **own}
        words = {**names, **values}
        return Filling(
            values,
            values.get("table", names["table"]),
            [_said(text, words) for text in table.get("set_up", ())],
            [_said(text, words) for text in table.get("done", ())],
            _said(table.get("before", ""), words),
            _said(table.get("after", ""), words),
            {
                state: [_said(text, words) for text in texts]
                for state, texts in table.get("announced", {}).items()
            },
            bool(table.get("changes_values", False)),
            [_said(text, words) for text in table.get("leaves", ())],
        )


def _said(text: str, names: Mapping[str, str]) -> str:
    return _Words().vformat(text, (), names)
