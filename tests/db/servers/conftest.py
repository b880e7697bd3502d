"""A cache of a test's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.servers import binaries
from support.majors import TEST_MAJOR


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache the server's user can enter, unlike pytest's own temporary directories."""
    if TEST_MAJOR is not None:  # its programs may lie in the cache that is in use
        monkeypatch.setenv("PGREHEARSE_BINDIR", str(binaries.find(TEST_MAJOR).bindir))
    path = Path(tempfile.mkdtemp(prefix="pgr-cache-"))
    path.chmod(0o755)
    monkeypatch.setenv("PGREHEARSE_CACHE", str(path))
    yield path
    shutil.rmtree(path)
