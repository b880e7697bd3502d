"""Owners of what runs make: known by more than a number, which the system gives again."""

from __future__ import annotations

import sys

import pytest

from pgrehearse.owners import marker, owner_is_gone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="owners are told by /proc")


def test_this_process_is_there() -> None:
    assert not owner_is_gone(marker())


def test_a_number_given_again_is_another_process() -> None:
    namespace, pid, started = marker().split(":")
    assert owner_is_gone(f"{namespace}:{pid}:{int(started) - 1}")
    assert owner_is_gone(f"{namespace}:{2**22 + 1}:{started}")


@pytest.mark.parametrize("mark", ["", "::", "1:2:3", "a:b:c", "x", "1:2:3:4", ":1:"])
def test_what_cannot_be_known_is_left_alone(mark: str) -> None:
    assert not owner_is_gone(mark)
