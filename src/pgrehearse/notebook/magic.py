"""The magics ``%%sql`` and ``%%cell``: notebook cells with the same executor and expectations as everywhere.

``%%sql --session app --wait main --expect 55P03``: the options of a cell in a document. SQL variables
(``:'label'``) are the notebook's Python variables of that name; ``%kinds`` says which of them are names.
``%%cell`` is the same for Python.
"""

from __future__ import annotations

import argparse
import io
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from pgrehearse.environments.permissions import Operation, demand
from pgrehearse.environments.target import Target, open_target
from pgrehearse.errors import ExpectationError, PgRehearseError, SetupError
from pgrehearse.execution.cell_checks import check_output
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.results import CellResult
from pgrehearse.execution.runbook.near_names import names_nothing, near_names
from pgrehearse.findings import Finding
from pgrehearse.notebook import expected
from pgrehearse.text import characters, variables
from pgrehearse.text.answers import stopped
from pgrehearse.text.document import LOOKING, Cell
from pgrehearse.text.looking import READ_ONLY_OPTION
from pgrehearse.text.options import known_options, parse_header
from pgrehearse.text.split import SplitError, split
from pgrehearse.text.written_names import NameKind, UnreadableName, written

__all__ = ["CellMagics"]

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
        raise _Refused(f"{self.prog}: {message}", next_step="known: --" + ", --".join(known_options()))


@magics_class
class CellMagics(Magics):  # type: ignore[misc]  # IPython has no types
    """Holds the sessions of one notebook; they end with its kernel."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._target: Target | None = None
        self._executor: Executor | None = None
        self._kinds: dict[str, NameKind] = {}

    @line_magic  # type: ignore[untyped-decorator]  # IPython has no types
    def kinds(self, line: str) -> None:
        """Say which variables hold names, and of which kind: ``%kinds table=relation column=name``."""
        for word in line.split():
            name, _, kind = word.partition("=")
            try:
                self._kinds[name] = NameKind(kind)
            except ValueError:
                known = ", ".join(one.value for one in NameKind)
                raise _Refused(f"%kinds: {word} says no kind", next_step=f"known: {known}") from None

    @line_magic  # type: ignore[untyped-decorator]  # IPython has no types
    def rehearsal(self, line: str) -> None:
        """Go on only where a demonstration does no harm: on a database marked for rehearsals."""
        target = self._opened()
        with _refusing():
            demand(Operation.OPEN_GUIDE, target.environment, target.database)

    @cell_magic  # type: ignore[untyped-decorator]  # IPython has no types
    def sql(self, line: str, cell: str) -> None:
        """Run SQL: ``%%sql [--session NAME] [--expect SQLSTATE] [--wait SESSION] [--timeout 5s] ...``."""
        prepared, only = _cell("sql", line, cell)
        if self._other_direction(only):
            return
        executor = self._connected()
        executor.values = self._values(prepared)
        try:
            with _refusing():
                results = executor.run(prepared)
        except KeyboardInterrupt:
            self._cancel(executor, prepared)
            raise
        own = [result for result in results if result.cell is prepared]
        for result in results:
            self._show(result, own=result in own)
        if not own:
            print(f"session {prepared.options.session} waits for session {prepared.options.wait}")

    @cell_magic  # type: ignore[untyped-decorator]  # IPython has no types
    def cell(self, line: str, cell: str) -> None:
        """Run Python that prints what the comments at its end say, or is for some server majors only."""
        prepared, only = _cell("python", line, cell)
        if self._other_direction(only):
            return
        major = self._opened().major  # Python reaches the database without us: look at it before
        first, last = prepared.options.needs, prepared.options.until
        if not (first or 0) <= major <= (last or 99):
            print(f"skipped: for PostgreSQL {first or 'any'} to {last or 'any'}")
            return
        # The empty first line stands for the magic's: a traceback names lines as Jupyter counts them.
        text = "\n" + prepared.source
        code = compile(text, self.shell.compile.cache(text), "exec")
        printed = io.StringIO()
        try:
            with redirect_stdout(printed), _looking(only == "checks"):
                exec(code, self.shell.user_ns)  # noqa: S102  # running the reader's cell is the purpose
        finally:
            print(printed.getvalue(), end="")
        failure = check_output(prepared, printed.getvalue(), major)
        if failure is not None:
            raise _failed(failure)

    def _other_direction(self, only: str | None) -> bool:
        """Whether the cell belongs to the direction the notebook does not go; says so."""
        back = bool(self.shell.user_ns.get("roll_back", False))
        other = only is not None and (only == "back") != back
        if other:
            print(f"not run: roll_back is {back}")
        return other

    def _values(self, cell: Cell) -> dict[str, str]:
        given = {name: self.shell.user_ns.get(name) for name in variables.used(cell.source)}
        missing = [name for name, value in given.items() if value is None]
        if missing:
            raise _Refused(
                f"variable {missing[0]!r} has no value", next_step=f'set it in Python: {missing[0]} = "..."'
            )
        with _refusing():
            checked = {
                name: characters.checked(str(value), f"the variable {name!r}")
                for name, value in given.items()
            }
        return {name: self._written(name, value) for name, value in checked.items()}

    def _written(self, name: str, value: str) -> str:
        try:
            return written(self._kinds.get(name, NameKind.TEXT), value)
        except UnreadableName as error:
            said = characters.visible(f"the variable {name!r}: {error}")
            raise _Refused(said, next_step=characters.visible(error.fix)) from None

    def _cancel(self, executor: Executor, cell: Cell) -> None:
        """The notebook's stop button: end the statement, so that the session can be used again."""
        session = executor.sessions.get(cell.options.session)
        if session is not None and not session.finished:
            session.cancel()
            while not session.pump(1.0):
                pass

    def _show(self, result: CellResult, *, own: bool) -> None:
        if not own:
            print(f"session {result.cell.options.session} has completed:")
        if result.output:
            print(characters.visible(result.output))
        if result.reason:
            print(f"{result.status}: {result.reason}")
        if result.failure is None:
            return
        executor = self._connected()
        hints = (
            near_names(executor.conninfo, executor.values, executor.values, self._kinds)
            if names_nothing(result)
            else []
        )
        if refusal := stopped(result.output):
            raise _refused(refusal, hints)
        raise _failed(result.failure, hints)

    def _opened(self) -> Target:
        if self._target is None:
            with _refusing():
                target = open_target(None)
                named = self.shell.user_ns.get("production") == target.database
                demand(Operation.RUN_NOTEBOOK_CELL, target.environment, target.database, said=named)
            self._target = target
            print(f"connected to {self._target}")
        return self._target

    def _connected(self) -> Executor:
        target = self._opened()
        if self._executor is None:
            self._executor = Executor(
                target.conninfo,
                environment=target.libpq_environment(),
                path=_HERE,
                major=target.major,
                timeout=None,
            )
        return self._executor


@contextmanager
def _refusing() -> Iterator[None]:
    """Errors of the program in the form a notebook shows without a traceback."""
    try:
        yield
    except PgRehearseError as error:
        raise _Refused(characters.visible(error.message), next_step=error.next_step) from None


@contextmanager
def _looking(only: bool) -> Iterator[None]:
    """Connections of Python that are made meanwhile are READ ONLY, if so asked."""
    given = os.environ.get("PGOPTIONS")
    if only:
        os.environ["PGOPTIONS"] = f"{given or ''} {READ_ONLY_OPTION}".strip()
    try:
        yield
    finally:
        if only and given is None:
            del os.environ["PGOPTIONS"]
        elif only:
            os.environ["PGOPTIONS"] = str(given)


def _refused(reason: str, hints: Sequence[str]) -> _CellFailed:
    """What a check refuses: its reason first, which says what to do."""
    said = "\n  ".join((f"refused: {reason}", *hints))
    return _CellFailed(characters.visible(said), next_step="resolve what the check names, then run again")


def _failed(failure: Finding, hints: Sequence[str] = ()) -> _CellFailed:
    parts = [f"line {failure.line}: {failure.message}", failure.statement, failure.detail, *hints]
    said = characters.visible("\n".join(part for part in parts if part))
    return _CellFailed(said, next_step=failure.next_step)


def _cell(language: str, line: str, text: str) -> tuple[Cell, str | None]:
    """The notebook cell as a cell of a document, and its direction; line 1 is the magic's."""
    magic = "%%sql" if language == "sql" else "%%cell"
    if found := characters.first(text):
        raise _Refused(f"line {found.line + 1}: {magic}: the cell holds {found.name}", next_step="remove it")
    parser = _Arguments(prog=magic, add_help=False, allow_abbrev=False)
    for key in known_options():
        parser.add_argument(f"--{key}")
    parser.add_argument("--only", choices=["checks", "forward", "back"])
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise _Refused(f"{magic}: {error}", next_step="close the quote") from None
    given = {key: value for key, value in vars(parser.parse_args(words)).items() if value}
    only = given.pop("only", None)
    info = language + "".join(f' {key}="{given[key]}"' for key in sorted(given))
    options, problems = parse_header(info)
    if problems:
        raise _Refused(f"{magic}: {problems[0].message}", next_step=problems[0].next_step)
    source, wanted = expected.take(language, text.rstrip("\n"))
    phase = LOOKING[0] if only == "checks" else None
    cell = Cell(
        1, language, source, line=1, end_line=0, options=options, phase=phase, expected=wanted, info=info
    )
    try:
        empty = language == "sql" and not split(source)
    except SplitError as error:
        raise _Refused(f"line {error.line + 1}: {error.message}", next_step=error.fix) from None
    if empty:
        raise _Refused(f"{magic}: the cell holds no statement", next_step="write one, or remove the cell")
    return cell, only
