"""A broken pipe is a reader that has gone only where it was the command's own output."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from pgrehearse.command import lazy


@click.command()
def breaks() -> None:
    raise BrokenPipeError(32, "Broken pipe")


GROUP = lazy.LazyGroup(places={"breaks": (__name__, "breaks")})


def test_another_pipe_is_a_fault() -> None:
    ended = CliRunner().invoke(GROUP, ["breaks"])
    assert str(ended.exception) == "a pipe to another process broke"


def test_our_output_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy, "lost_output", lambda: BrokenPipeError(32, "Broken pipe"))
    ended = CliRunner().invoke(GROUP, ["breaks"])
    assert isinstance(ended.exception, SystemExit), "click's own end of a command that nobody reads"
