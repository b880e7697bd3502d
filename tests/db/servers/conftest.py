"""A cache of a test's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache the server's user can enter, unlike pytest's own temporary directories."""
    path = Path(tempfile.mkdtemp(prefix="pgr-cache-"))
    path.chmod(0o755)
    monkeypatch.setenv("PGREHEARSE_CACHE", str(path))
    yield path
    shutil.rmtree(path)
