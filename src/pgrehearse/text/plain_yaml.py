"""YAML as front matter needs it: small, flat, every key once, every value where it stands.

An alias costs a few bytes and stands for any number of them; of two equal keys YAML silently takes one; and
its readers end with their stack where values are nested deeply.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pgrehearse.errors import DocumentError

__all__ = ["check"]

#: Characters of front matter, and levels of values within values.
_MOST, _DEEPEST = 50_000, 20


def check(source: str, path: Path) -> None:
    """Raise DocumentError unless the front matter ``source`` of ``path`` is plain, YAMLError if no YAML."""

    def refuse(mark: Any, message: str, fix: str) -> DocumentError:
        return DocumentError(message, path=path, line=mark.line + 2 if mark else 1, next_step=fix)

    if len(source) > _MOST:
        raise refuse(
            None, f"front matter of more than {_MOST:,} characters", "move the text into the document"
        )
    keys: list[set[str] | None] = []  # of each open mapping; None for a sequence
    is_key: list[bool] = []
    for event in yaml.parse(source, yaml.SafeLoader):
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise refuse(mark, "front matter holds an anchor or an alias", "write the value where it belongs")
        if isinstance(event, yaml.CollectionEndEvent):
            keys.pop()
            is_key.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        known = keys[-1] if keys else None
        if known is not None:
            if is_key[-1]:
                if not isinstance(event, yaml.ScalarEvent):
                    raise refuse(mark, "front matter has a key that is no word", "write key: value")
                if event.value in known:
                    message = f"front matter has the key {event.value!r} twice"
                    raise refuse(mark, message, "keep one of the two")
                known.add(event.value)
            is_key[-1] = not is_key[-1]
        if isinstance(event, yaml.CollectionStartEvent):
            if len(keys) == _DEEPEST:
                raise refuse(mark, f"front matter is nested more than {_DEEPEST} deep", "write it flat")
            keys.append(set() if isinstance(event, yaml.MappingStartEvent) else None)
            is_key.append(True)
