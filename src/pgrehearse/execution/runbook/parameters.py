"""The values a run gives to the parameters of its runbook."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from pgrehearse.errors import SetupError
from pgrehearse.text.characters import checked
from pgrehearse.text.document import Document
from pgrehearse.text.front_matter import Parameter
from pgrehearse.text.written_names import UnreadableName, written

__all__ = ["former_ones", "values_of"]


def values_of(document: Document, given: Mapping[str, str]) -> dict[str, str]:
    """The value of every parameter, ``given`` or its default, as the cells expect it; without `former_ones`.

    Raises SetupError: one that is given is not declared, holds a forbidden character or is no name though it
    should be, or one has no value.
    """
    declared = document.front.parameters
    values = {name: p.default for name, p in declared.items() if p.default is not None}
    for name, value in given.items():
        if name in document.front.former:
            continue
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "it takes " + (", ".join(declared) or "none")
            raise SetupError(f"the runbook has no parameter {name!r}", path=document.path, next_step=hint)
        values[name] = checked(value, f"the value of parameter {name!r}", path=document.path)
    missing = [p for name, p in declared.items() if name not in values]
    if missing:
        listing = "".join(f"\n    --set {p.name}=...  {p.description} (such as {p.example})" for p in missing)
        raise SetupError("parameters have no value", path=document.path, next_step=f"give them:{listing}")
    return {name: _written(document, declared[name], value) for name, value in values.items()}


def _written(document: Document, parameter: Parameter, value: str) -> str:
    try:
        return written(parameter.kind, value)
    except UnreadableName as error:
        message = f"the value of parameter {parameter.name!r}: {error}"
        raise SetupError(message, path=document.path, next_step=error.fix) from None


def former_ones(document: Document, given: Mapping[str, str]) -> list[str]:
    """What is told of values that ``document`` took once, and takes no more."""
    former = document.front.former
    return [f"--set {name} changes nothing any more: {former[name]}" for name in given if name in former]
