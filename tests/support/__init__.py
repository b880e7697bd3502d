"""What tests of several packages share. ``from support import ...``: tests/ is on the path."""

from __future__ import annotations

from pathlib import Path

#: This repository.
ROOT = Path(__file__).parents[2]
