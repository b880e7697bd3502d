"""The real dbmate."""

from __future__ import annotations

import shutil

import pytest

from pgrehearse.migration.trial import dbmate


@pytest.fixture(scope="session")
def real() -> dbmate.Dbmate:
    if shutil.which("dbmate") is None and shutil.which("npm") is None:
        pytest.skip("neither dbmate nor npm here; `make migrations` fails then, and CI runs it")
    return dbmate.find()
