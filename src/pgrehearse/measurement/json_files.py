"""How evidence lies on disk: JSON with one line a list of numbers, so that a diff shows what changed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["told", "write"]

_NUMBERS = re.compile(r"\[\s+((?:-?[\d.]+|null)(?:,\s+(?:-?[\d.]+|null))*)\s+\]")


def write(file: Path, data: Mapping[str, Any]) -> Path:
    """Write ``data`` with sorted keys; the file is never half-written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}.tmp")
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False)
    draft.write_text(_NUMBERS.sub(lambda m: f"[{' '.join(m[1].split())}]", text) + "\n", encoding="utf-8")
    draft.replace(file)
    return file


def told(what: str, committed: object, now: object) -> list[str]:
    """How the fact ``what`` differs from the committed one, in lines."""
    if isinstance(committed, list) and isinstance(now, list):
        gone = [f"{what}: committed, not found now: {one}" for one in committed if one not in now]
        new = [f"{what}: found now, not committed: {one}" for one in now if one not in committed]
        return [*gone, *new] or [f"{what}: in another order"]
    return [f"{what}: committed {committed!r}, now {now!r}"]
