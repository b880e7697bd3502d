"""Which server majors tests run on, as the environment says."""

from __future__ import annotations

import os

__all__ = ["OLD_AND_NEW", "TEST_MAJOR"]

_asked = os.environ.get("PGREHEARSE_TEST_MAJOR")
#: The major of ordinary tests; None is the default server's.
TEST_MAJOR = int(_asked) if _asked else None

#: Where catalogs differ, a test runs on each of these.
OLD_AND_NEW = [int(word) for word in os.environ.get("PGREHEARSE_DRIFT_MAJORS", "15,18").split(",")]
