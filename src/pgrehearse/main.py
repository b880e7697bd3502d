"""The command ``pgrehearse``: joins the subcommands of the front ends."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from pgrehearse.command.lazy import LazyGroup
from pgrehearse.command.streams import lost_output, prepared, terminable
from pgrehearse.command.terminal import door, prose, width
from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.text.passwords import connection_strings
from pgrehearse.troubles import named

__all__ = ["cli", "main", "program"]

#: Exit status where whoever read the output has ended, as a shell tells it: 128 and SIGPIPE.
_NOBODY_READS = 141

#: subcommand -> module and attribute.
_COMMANDS = {
    "test": ("pgrehearse.command.test", "test"),
    "measure": ("pgrehearse.command.measure", "measure"),
    "rehearse": ("pgrehearse.command.rehearse", "rehearse"),
    "record": ("pgrehearse.command.record", "record"),
    "rates": ("pgrehearse.command.rates", "rates"),
    "xray": ("pgrehearse.command.xray", "xray"),
    "lint": ("pgrehearse.command.lint", "lint"),
    "sync": ("pgrehearse.command.lint", "sync"),
    "list": ("pgrehearse.command.runbooks", "list_"),
    "show": ("pgrehearse.command.runbooks", "show"),
    "run": ("pgrehearse.command.run", "run"),
    "db": ("pgrehearse.command.db", "db"),
    "backup": ("pgrehearse.command.backup", "backup"),
    "pool": ("pgrehearse.command.pool", "pool"),
    "promote": ("pgrehearse.command.promote", "promote"),
    "status": ("pgrehearse.command.status", "status"),
    "dashboard": ("pgrehearse.command.dashboard", "dashboard"),
    "environment": ("pgrehearse.command.environment", "environment"),
    "export": ("pgrehearse.notebook.command", "export"),
    "psql": ("pgrehearse.command.psql", "psql"),
    "build": ("pgrehearse.publish", "build"),
    "serve": ("pgrehearse.publish", "serve"),
}


@click.group(cls=LazyGroup, places=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pgrehearse")
@click.pass_context
def cli(context: click.Context) -> None:
    """Rehearse PostgreSQL schema changes: run the blocks of Markdown documents and check what they claim."""
    context.color = True  # the door of the terminal takes styles away where they do not belong


def program() -> NoReturn:
    """Entry point of the process: `main`, without Python's taking apart of all it imported.

    That is a fifth of what a short command costs. Threads are waited for and what others registered for
    the end is done first: what is registered first comes last.
    """
    status: int | None = None

    def leave() -> None:
        if status is not None:  # else something ended us that Python has to tell
            lost_output()
            os._exit(status)

    atexit.register(leave)
    try:
        main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
        raise


def main() -> NoReturn:
    """Run the command: what goes wrong becomes a message and an exit status, Ctrl-C becomes 130."""
    prepared()
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # a connection that was lost is told by us
    with door(), terminable():
        try:
            status = _status()
        except (KeyboardInterrupt, click.Abort):  # the one that ended the first, too
            status = 130
    lost = lost_output()
    if isinstance(lost, BrokenPipeError):
        status = _NOBODY_READS
    elif lost is not None:
        _tell(_unwritten(lost))
        status = status or SetupError.exit_code
    sys.exit(status)


def _status() -> int:
    try:
        _arguments()
        return cli(prog_name="pgrehearse", standalone_mode=False) or 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except SystemExit:  # click's own, its only one, at a broken pipe
        return _NOBODY_READS
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "pgrehearse"
        _say(f"error: {error.format_message()}\n  next: {path} --help tells what may be written")
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted; what ran was canceled, and what was made for this run is removed")
        return 130
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and (lost := lost_output()) is not None:
            if isinstance(lost, BrokenPipeError):
                return _NOBODY_READS
            error = _unwritten(lost)
        known = _here(error) or named(error)
        if known is not None:
            _tell(known)
            return known.exit_code
        # 1 is for documents that do something else than they say; a crash must not look like that.
        _say(traceback.format_exc())
        _say("error: this is a bug in pgrehearse\n  next: report it with the lines above")
        return PgRehearseError.exit_code


def _tell(error: PgRehearseError) -> None:
    _say(f"error: {error.text(_known_as)}")


def _known_as(path: Path) -> str:
    """``path`` as findings name it: from the folder one stands in, where it lies below."""
    with suppress(OSError):
        here = Path.cwd()
        return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
    return str(path)


def _say(text: str) -> None:
    with suppress(OSError, ValueError):  # nobody hears it; the exit status says it, too
        said = connection_strings(text)  # it may quote an argument
        click.echo(prose(said, width(sys.stderr)), err=True, color=True)


def _unwritten(error: OSError) -> SetupError:
    return SetupError(
        f"standard output cannot be written: {error.strerror}",
        next_step="give it room, or another place; what was done before is done",
    )


def _here(error: Exception) -> SetupError | None:
    """What to say where the folder one stands in is gone, which makes anything fail."""
    try:
        Path.cwd()
    except OSError as gone:
        if isinstance(error, (OSError, RuntimeError)):
            return SetupError(
                f"the current folder cannot be used: {gone.strerror}", next_step="cd to a folder that exists"
            )
    return None


def _arguments() -> None:
    """Refuse arguments that are no text: nothing could be found, sent or shown by such a name."""
    for number, argument in enumerate(sys.argv[1:], 1):
        if not argument.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in argument):
            raise click.UsageError(
                f"argument {number} is not text in the encoding of this locale: {os.fsencode(argument)!r}"
                "; write it in UTF-8, and say so with LC_ALL=C.UTF-8"
            )
