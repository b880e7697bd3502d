"""Servers of majors that nobody has tried: too old is refused, newer is said."""

from __future__ import annotations

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.majors import SUPPORTED, not_too_old, said


@pytest.mark.parametrize("major", [9, 13, 14])
def test_too_old_is_refused(major: int) -> None:
    with pytest.raises(SetupError, match=f"server at here is PostgreSQL {major}.2, which") as caught:
        not_too_old("here", major, f"{major}.2")
    assert caught.value.next_step == "use PostgreSQL 15 or later"


@pytest.mark.parametrize("major", [*SUPPORTED, 19])
def test_others_are_not(major: int) -> None:
    not_too_old("here", major, f"{major}.2")
    assert ("newer than this release was tried with (15 to 18)" in said(major, "x")) == (major == 19)
