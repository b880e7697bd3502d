"""A signal interrupts where one waits, and between no two other lines."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from pgrehearse.interrupts import Interrupts


@pytest.fixture(autouse=True)
def raising() -> Iterator[None]:
    """SIGHUP raises, as in a command. Not Ctrl-C: pytest has plans for that one."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGHUP, stop)
    yield
    signal.signal(signal.SIGHUP, before)


def strike() -> None:
    signal.raise_signal(signal.SIGHUP)


def test_it_comes_where_one_waits() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        strike()
        done.append("the rest")
        with interrupts.allowed():
            done.append("not this")
    assert done == ["the rest"]
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_it_comes_at_the_end_at_the_latest() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts():
        strike()
        done.append("all")
    assert done == ["all"]


def test_within_another_it_waits_for_that_one() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        with interrupts:
            strike()
        done.append("still held back")
        with interrupts.allowed():
            done.append("not this")
    assert done == ["still held back"]


def test_without_it_one_is_interrupted_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts().allowed():
        strike()
