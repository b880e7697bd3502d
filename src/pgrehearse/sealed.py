"""JSON files that say when somebody else than the program changed them: records of runs, and evidence.

The key ``seal`` holds a digest of everything else in the file, whatever its layout. Who changes a fact and
not the seal is noticed by whatever reads the file. Who computes the seal anew is not: there is no secret in
it. That is what measuring again in CI is for, and a reviewer sees both lines in the diff.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pgrehearse import files

__all__ = ["Broken", "read", "write"]

_SEAL = "seal"
#: Bytes of a file; those of the handbook have 50,000.
_MOST = 64_000_000


class Broken(Exception):
    """The file is not as the program wrote it; the message says how, in words that follow its name."""


def write(path: Path, data: Mapping[str, Any], *, sort_keys: bool = False) -> Path:
    """Write ``data``, sealed, as `files.write_json` does."""
    return files.write_json(path, {**data, _SEAL: _seal(data)}, sort_keys=sort_keys)


def read(path: Path) -> dict[str, Any]:
    """The data of the file, without its seal. Raises Broken: no JSON object, too large, or not its seal."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
        if len(content) > _MOST:
            raise Broken(f"has more than {_MOST:,} bytes")
        data = json.loads(content, object_pairs_hook=_once)
    except (OSError, ValueError, RecursionError) as error:
        raise Broken("cannot be read") from error
    if not isinstance(data, dict) or _SEAL not in data:
        raise Broken("has no seal, so the program did not write it as it is")
    seal = data.pop(_SEAL)
    if seal != _seal(data):
        raise Broken("was changed by hand: its seal does not fit")
    return data


def _seal(data: Mapping[str, Any]) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
