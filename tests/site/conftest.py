"""The tiny project, new or built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.tiny import Tiny


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path)


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    tiny = Tiny(tmp_path_factory.mktemp("tiny"))
    tiny.build()
    return tiny


@pytest.fixture
def built(built_once: Tiny, tmp_path: Path) -> Tiny:
    """A built project of one's own; copying is quicker than building."""
    shutil.copytree(built_once.root, tmp_path, dirs_exist_ok=True)
    return Tiny(tmp_path)
