"""The command ``pgrehearse``: joins the subcommands of the front ends."""

from __future__ import annotations

import io
import sys
import traceback
from importlib import import_module

import click

from pgrehearse.command.terminal import door
from pgrehearse.errors import PgRehearseError
from pgrehearse.text.passwords import connection_strings

__all__ = ["cli", "main"]

#: subcommand -> module and attribute; imported when asked for, because the site and notebook extras are
#: optional and slow to import.
_COMMANDS = {
    "test": ("pgrehearse.command.test", "test"),
    "measure": ("pgrehearse.command.measure", "measure"),
    "rehearse": ("pgrehearse.command.rehearse", "rehearse"),
    "record": ("pgrehearse.command.record", "record"),
    "xray": ("pgrehearse.command.xray", "xray"),
    "lint": ("pgrehearse.command.lint", "lint"),
    "sync": ("pgrehearse.command.lint", "sync"),
    "run": ("pgrehearse.command.run", "run"),
    "db": ("pgrehearse.command.db", "db"),
    "environment": ("pgrehearse.command.environment", "environment"),
    "export": ("pgrehearse.notebook.command", "export"),
    "psql": ("pgrehearse.command.psql", "psql"),
    "build": ("pgrehearse.publish", "build"),
    "serve": ("pgrehearse.publish", "serve"),
}


class _Lazy(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[name]
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pgrehearse")
@click.pass_context
def cli(context: click.Context) -> None:
    """Rehearse PostgreSQL schema changes: run the blocks of Markdown documents and check what they claim."""
    context.color = True  # the door of the terminal takes styles away where they do not belong


def main() -> None:
    """Entry point: errors of ours become a message and their exit status, Ctrl-C becomes 130."""
    with door():
        _main()


def _main() -> None:
    try:
        sys.exit(cli(prog_name="pgrehearse", standalone_mode=False) or 0)
    except PgRehearseError as error:
        click.echo(f"error: {error}", err=True, color=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)  # it may quote an argument that nobody asked for
        click.echo(connection_strings(said.getvalue()), err=True, nl=False, color=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; what ran was canceled, and what was made for this run is removed", err=True)
        sys.exit(130)
    except Exception:
        # 1 is for documents that do something else than they say; a crash must not look like that.
        click.echo(connection_strings(traceback.format_exc()), err=True)
        click.echo("error: this is a bug in pgrehearse\n  next: report it with the lines above", err=True)
        sys.exit(PgRehearseError.exit_code)
