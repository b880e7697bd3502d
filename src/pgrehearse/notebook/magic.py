"""The ``%%sql`` magic: a notebook cell run by the same executor, with the same expectations, as everywhere.

``%%sql --session app --wait main --expect 55P03``: the options of a cell in a document. SQL variables
(``:'label'``) are the notebook's Python variables of that name.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any, NoReturn

from IPython.core.magic import Magics, cell_magic, magics_class

from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.results import CellResult
from pgrehearse.execution.target import open_target
from pgrehearse.notebook import expected
from pgrehearse.text import variables
from pgrehearse.text.document import Cell, Expected
from pgrehearse.text.options import known_options, parse_header
from pgrehearse.text.split import SplitError, split

__all__ = ["SqlMagic"]

_HERE = Path("notebook")


class _CellFailed(ExpectationError):
    """Shown without a Python traceback, which would say nothing about the SQL."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class _Refused(SetupError):
    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Refused(f"%%sql: {message}", next_step="known: --" + ", --".join(known_options()))


@magics_class
class SqlMagic(Magics):  # type: ignore[misc]  # IPython has no types
    """Holds the sessions of one notebook; they end with its kernel."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._executor: Executor | None = None

    @cell_magic  # type: ignore[untyped-decorator]  # IPython has no types
    def sql(self, line: str, cell: str) -> None:
        """Run SQL: ``%%sql [--session NAME] [--expect SQLSTATE] [--wait SESSION] [--timeout 5s] ...``."""
        prepared, only = _cell(line, cell)
        back = bool(self.shell.user_ns.get("roll_back", False))
        if only is not None and only != ("back" if back else "forward"):
            print(f"not run: roll_back is {back}")
            return
        executor = self._connected()
        names = variables.used(prepared.source)
        missing = [name for name in names if name not in self.shell.user_ns]
        if missing:
            raise _Refused(
                f"variable {missing[0]!r} has no value", next_step=f'set it in Python: {missing[0]} = "..."'
            )
        executor.values = {name: str(self.shell.user_ns[name]) for name in names}
        results = executor.run(prepared)
        own = [result for result in results if result.cell is prepared]
        for result in results:
            self._show(result, own=result in own)
        if not own:
            print(f"session {prepared.options.session} waits for session {prepared.options.wait}")

    def _show(self, result: CellResult, *, own: bool) -> None:
        if not own:
            print(f"session {result.cell.options.session} has completed:")
        if result.output:
            print(result.output)
        if result.reason:
            print(f"{result.status}: {result.reason}")
        if result.failure is not None:
            failure = result.failure
            raise _CellFailed(
                f"line {failure.line - 1}: {failure.message}\n{failure.detail}", next_step=failure.next_step
            )

    def _connected(self) -> Executor:
        if self._executor is None:
            try:
                target = open_target(None)
            except SetupError as error:
                raise _Refused(error.message, next_step=error.next_step) from None
            print(f"connected to {target}")
            self._executor = Executor(
                target.conninfo, environment=target.libpq_environment(), path=_HERE, major=target.major
            )
        return self._executor


def _cell(line: str, text: str) -> tuple[Cell, str | None]:
    """The notebook cell as a cell of a document, and its direction; line 1 is the magic's."""
    parser = _Arguments(prog="%%sql", add_help=False, allow_abbrev=False)
    for key in known_options():
        parser.add_argument(f"--{key}")
    parser.add_argument("--only", choices=["forward", "back"])
    given = {key: value for key, value in vars(parser.parse_args(shlex.split(line))).items() if value}
    only = given.pop("only", None)
    info = "sql" + "".join(f' {key}="{given[key]}"' for key in sorted(given))
    options, problems = parse_header(info)
    if problems:
        raise _Refused(f"%%sql: {problems[0].message}", next_step=problems[0].fix)
    source, output = expected.take(text.rstrip("\n"))
    wanted = Expected(output, line=2, end_line=2) if output is not None else None
    cell = Cell(1, "sql", source, line=1, end_line=0, options=options, expected=wanted, info=info)
    try:
        split(source)
    except SplitError as error:
        raise _Refused(f"line {error.line + 1}: {error.message}", next_step=error.fix) from None
    return cell, only
