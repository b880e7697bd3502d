"""A broken pipe is a reader that has gone only where it was the command's own output."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pgrehearse.command import lazy
from pgrehearse.command.streams import unread


@click.command()
def breaks() -> None:
    raise BrokenPipeError(32, "Broken pipe")


GROUP = lazy.LazyGroup(places={"breaks": (__name__, "breaks")})


def test_another_pipe_is_a_fault() -> None:
    ended = CliRunner().invoke(GROUP, ["breaks"])
    assert str(ended.exception) == "a pipe to another process broke"


def test_our_output_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy, "unread", lambda: True)
    ended = CliRunner().invoke(GROUP, ["breaks"])
    assert isinstance(ended.exception, SystemExit), "click's own end of a command that nobody reads"


def test_who_reads_is_asked_of_the_system(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with (tmp_path / "file").open("w") as file:
        assert not unread((writer, file.fileno()))
        os.close(reader)
        assert unread((writer, file.fileno()))
    os.close(writer)
