"""Which server majors tests run on, as the environment says."""

from __future__ import annotations

import os

import pytest

__all__ = ["LATER", "LATER_SAID", "OLD_AND_NEW", "OLD_STRINGS", "RECENT", "TEST_MAJOR"]

_asked = os.environ.get("PGREHEARSE_TEST_MAJOR")
#: The major of ordinary tests; None is the default server's.
TEST_MAJOR = int(_asked) if _asked else None

#: For what older majors do not have, or what is tried on one major: 18, or a later one that is asked for.
RECENT = max(18, TEST_MAJOR or 18)

#: For tests with standard_conforming_strings = off.
OLD_STRINGS = pytest.mark.skipif(RECENT >= 19, reason="PostgreSQL 19 and later refuse that setting")

#: The option of a cell that is for other servers than those of ordinary tests, and why it is skipped.
LATER, LATER_SAID = (
    ('needs="18"', "needs PostgreSQL 18 or later")
    if TEST_MAJOR and TEST_MAJOR < 18
    else ('until="17"', "for PostgreSQL 17 and earlier")
)

#: Where catalogs differ, a test runs on each of these.
OLD_AND_NEW = [int(word) for word in os.environ.get("PGREHEARSE_DRIFT_MAJORS", "15,18").split(",")]
