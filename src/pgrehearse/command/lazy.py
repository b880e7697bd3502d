"""A group of commands that are imported when they are used: the extras are optional, and slow to import."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from pgrehearse.command.streams import unread

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """``commands``: name -> module and attribute, such as ``("pgrehearse.command.run", "run")``."""

    def __init__(self, *given: Any, places: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*given, **options)
        self._places = places

    def invoke(self, context: click.Context) -> Any:
        """click takes each broken pipe for a reader of the output that has gone, and says nothing."""
        try:
            return super().invoke(context)
        except BrokenPipeError as error:
            if unread():
                raise
            raise RuntimeError("a pipe to another process broke") from error

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self._places)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self._places:
            return None
        module, attribute = self._places[name]
        gc.disable()  # what is imported stays: looking for garbage in it is a tenth of the time
        try:
            command = getattr(import_module(module), attribute)
        finally:
            gc.enable()
        assert isinstance(command, click.Command)
        return command
