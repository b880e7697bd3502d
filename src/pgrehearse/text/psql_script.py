"""A runbook as a script for ``psql -v label=... -f``.

The script stops where the runbook would: at an error, at a missing parameter, at a check whose single row is
not the expected one. Other outputs are printed for the reader to compare. Checks only look, as everywhere;
what their ``\\gexec`` generates could end their transaction, so the script stops when it did.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from pgrehearse import queries
from pgrehearse.errors import DocumentError
from pgrehearse.text import looking
from pgrehearse.text.answers import UNSEEN, single_row
from pgrehearse.text.document import LOOKING, Cell, Document
from pgrehearse.text.looking import Precaution, way_of
from pgrehearse.text.psql_names import NO_NAME, as_meant
from pgrehearse.text.split import Statement, split
from pgrehearse.text.variables import quote_literal

__all__ = ["to_psql"]

_NULL = "(null)"
_RESERVED = {"roll_back": "the direction", "accept_unseen": "what may stay unseen by a check"}
#: What a role may have, the first since 17: it would end a concurrent build and leave an INVALID index.
_NO_LIMIT = (
    "SELECT count(set_config(name, '0', false)) AS pgr_limits"
    " FROM pg_settings WHERE name IN ('transaction_timeout', 'idle_session_timeout')"
)
#: The cast refuses what is neither true nor false; \\if alone would take it for false and go forward.
_DIRECTION = (
    "\\if :{?roll_back}",
    "\\else",
    "\\set roll_back 0",
    "\\endif",
    "SELECT :'roll_back'::boolean AS pgr_back \\gset",
    "\\if :pgr_back",
)


def to_psql(document: Document, source: str) -> str:
    """The script for ``document``; ``source`` names the Markdown file in comments and messages.

    Raises DocumentError for what psql cannot do: Python cells, several sessions, no runbook.
    """
    if not document.is_runbook:
        raise DocumentError(
            "only a runbook has an .sql form",
            path=document.path,
            next_step="export a guide as a notebook: --to ipynb",
        )
    parts = [*_head(document, source), *_DIRECTION]
    parts.append(
        queries.text("rolled_back", runbook=quote_literal(document.path.name)).decode().rstrip() + ";"
    )
    parts += _phases(document, ["Roll back"], source)
    parts.append("\\else")
    parts += _phases(document, ["Preflight", "Apply", "Verify"], source)
    parts += ["\\endif", "\\echo done"]
    return "\n".join(parts) + "\n"


def _head(document: Document, source: str) -> Iterator[str]:
    parameters = document.front.parameters.values()
    for name, chooses in _RESERVED.items():
        if name in document.front.parameters:
            raise DocumentError(
                f"{name} is the variable that chooses {chooses} of an export",
                path=document.path,
                next_step="give the parameter another name",
            )
    flags = "".join(" -v " + shlex.quote(f"{p.name}={p.example}") for p in parameters)
    name = document.path.stem
    yield f"-- {_one_line(document.title)}"
    yield f"-- Made from {source}; read that first: it says what each step locks and when to stop."
    yield "--"
    yield _one_line(f"-- Run:       psql -X{flags} -f {name}.sql")
    yield _one_line(f"-- Roll back: psql -X{flags} -v roll_back=1 -f {name}.sql")
    yield ""
    yield "\\set ON_ERROR_STOP on"
    yield f"\\pset null '{_NULL}'"
    yield "\\pset pager off"
    yield "SET standard_conforming_strings = on;"
    for parameter in parameters:
        yield f"\\if :{{?{parameter.name}}}"
        yield "\\else"
        if parameter.default is not None:
            yield f"  \\set {parameter.name} {_psql_quoted(parameter.default)}"
        else:
            yield from _stop(f"{parameter.name} is not set. Give it: -v {parameter.name}=...")
        yield "\\endif"
        if parameter.kind in NO_NAME:
            yield from as_meant(parameter.name, parameter.kind)
            yield f"\\if :{{?{parameter.name}}}"
            yield "\\else"
            yield from _stop(f"{parameter.name} is {NO_NAME[parameter.kind]}")
            yield "\\endif"
    if any(UNSEEN in cell.source for cell in document.cells):
        yield "\\if :{?accept_unseen}"
        yield "\\else"
        yield "\\set accept_unseen 0"
        yield "\\endif"
    yield from _require("now() = statement_timestamp()", "a transaction is open: run the script without -1")
    yield from _require(
        "current_setting('default_transaction_read_only') = 'off'",
        "this role's transactions are read-only: set PGOPTIONS='-c default_transaction_read_only=off'",
    )
    yield from _require(
        "current_setting('session_replication_role') <> 'replica'",
        "this session passes foreign keys and triggers by: RESET session_replication_role",
    )
    yield "\\echo database :DBNAME, server :SERVER_VERSION_NAME"
    yield "SET lock_timeout = '2s';"
    yield "SET statement_timeout = 0;"
    yield f"{_NO_LIMIT} \\gset"
    yield ""


def _phases(document: Document, phases: list[str], source: str) -> Iterator[str]:
    for phase in phases:
        cells = [cell for cell in document.cells if cell.phase == phase]
        for number, cell in enumerate(cells, 1):
            above = [h for h in document.headings if h.line < cell.line]
            heading = f": {above[-1].title}" if above and above[-1].level > 2 else ""
            label = f"{phase} {number}/{len(cells)}{heading} ({source}:{cell.line})"
            yield f"\\echo {_psql_quoted(label)}"
            yield from _guarded(document, cell, f"{source}:{cell.line}")
            yield ""


def _guarded(document: Document, cell: Cell, where: str) -> Iterator[str]:
    """The cell, inside \\if where it is for some server majors only."""
    options = cell.options
    if cell.language != "sql" or options.session != "main" or options.wait:
        raise DocumentError(
            "psql has one session and no Python: this cell has no .sql form",
            path=document.path,
            line=cell.line,
            next_step="write the step as SQL for the session main, or export --to ipynb",
        )
    conditions = []
    if options.needs:
        conditions.append(f":SERVER_VERSION_NUM >= {options.needs * 10000}")
    if options.until:
        conditions.append(f":SERVER_VERSION_NUM < {(options.until + 1) * 10000}")
    if not conditions:
        yield from _cell(cell, where)
        return
    yield f"SELECT {' AND '.join(conditions)} AS pgr_here \\gset"
    yield "\\if :pgr_here"
    yield from _cell(cell, where)
    yield "\\endif"


def _cell(cell: Cell, where: str) -> Iterator[str]:
    """The statements of a cell and its check; where servers print different outputs, the one that is here."""
    outputs = list(cell.expected.all()) if cell.expected else [None]
    for one in reversed(outputs[1:]):
        assert one is not None
        yield f"SELECT :SERVER_VERSION_NUM >= {one.major * 10000} AS pgr_later \\gset"
        yield "\\if :pgr_later"
        yield from _as_expected(replace(cell, expected=one), where)
        yield "\\else"
    yield from _as_expected(cell, where)
    yield from ["\\endif"] * (len(outputs) - 1)


def _as_expected(cell: Cell, where: str) -> Iterator[str]:
    row = single_row(cell.expected.text) if cell.expected and cell.options.expect is None else None
    statements = split(cell.source)
    last = statements[-1] if statements and not statements[-1].gexec else None
    framed = _looked if cell.phase in LOOKING else _bare
    if row is not None and last:
        for statement in statements[:-1]:
            yield from framed(statement, [_statement(statement)], where)
        yield from framed(last, [f"{last.sql}\n\\gset pgr_"], where)
        yield from _check_row(row, where, may_not_see=cell.phase in LOOKING and UNSEEN in last.sql)
    elif _no_rows(cell) and last:
        for statement in statements:
            sent = [_statement(statement), "\\set pgr_rows :ROW_COUNT"]
            yield from framed(statement, sent, where)
        yield from _require(":pgr_rows = 0", f"{where}: there must be no row; resolve it, run again")
    elif cell.options.expect is not None:
        yield "\\set ON_ERROR_STOP off"
        for statement in statements:
            yield from framed(statement, [_statement(statement), "\\set pgr_state :SQLSTATE"], where)
        yield "\\set ON_ERROR_STOP on"
        yield from _require(
            f":'pgr_state' = '{cell.options.expect}'", f"{where}: expected {cell.options.expect}"
        )
    else:
        for statement in statements:
            yield from framed(statement, [_statement(statement)], where)
        if cell.expected:
            yield "\\echo expected:"
            yield from (f"\\echo {_psql_quoted('  ' + line)}" for line in cell.expected.text.split("\n"))


def _bare(statement: Statement, sent: list[str], where: str) -> Iterator[str]:
    yield from sent


def _looked(statement: Statement, sent: list[str], where: str) -> Iterator[str]:
    """``sent`` in the transaction that `pgrehearse.text.looking` wants, which is still there afterwards."""
    way = way_of(statement.sql)
    if way is Precaution.REFUSED:
        raise DocumentError(
            f"Preflight and Verify run in transactions of their own: {where} must not begin or end one",
            next_step="leave it out, or move it to Apply",
        )
    checked = way is Precaution.CHECKED or (statement.gexec and looking.makes_temporary(statement))
    yield "\\set QUIET on"
    yield (looking.BEGIN_CHECKED if checked else looking.BEGIN_READ_ONLY) + ";"
    if checked:
        yield looking.CHECK.rstrip() + ";"
    yield "SELECT now() AS pgr_began \\gset"
    yield "\\set QUIET off"
    yield from sent
    yield "\\set QUIET on"
    if statement.gexec:
        yield from _require("now() = :'pgr_began'", f"{where}: the transaction of this check was ended")
    if checked:
        yield looking.CHECK.rstrip() + ";"
    yield "COMMIT;"
    yield "\\set QUIET off"


def _statement(statement: Statement) -> str:
    """The statement with what ends it; on a line of its own, because a comment may stand before it."""
    end = "\n\\gexec" if statement.gexec else ";"
    return statement.sql + ("\n" if "--" in statement.sql and end == ";" else "") + end


def _no_rows(cell: Cell) -> bool:
    wanted = cell.expected.text if cell.expected and cell.options.expect is None else ""
    return wanted.rstrip().endswith("\n(0 rows)")


def _check_row(row: dict[str, str], where: str, *, may_not_see: bool) -> Iterator[str]:
    """Compare the variables \\gset has set; a NULL leaves its variable unset.

    ``may_not_see``: a value may say what the role cannot see, which ``-v accept_unseen=1`` accepts.
    """
    for name, value in row.items():
        variable = f"pgr_{name}"
        if value == _NULL:
            yield f"\\if :{{?{variable}}}"
            yield from _stop(f"{where}: {name} should be NULL")
            yield "\\endif"
            continue
        yield f"\\if :{{?{variable}}}"
        yield f"\\echo {name}: :{variable}"
        yield "\\else"
        yield f"\\set {variable} {_psql_quoted(_NULL)}"
        yield "\\endif"
        condition = f":'{variable}' = {quote_literal(value)}"
        if may_not_see:
            unseen = f":'{variable}' LIKE '{UNSEEN}%'"
            yield from _require(
                f"NOT {unseen} OR :'accept_unseen'::boolean",
                f"{where}: not all could be seen; decide, and go on with -v accept_unseen=1",
            )
            condition = f"({condition} OR {unseen})"
        yield from _require(condition, f"{where}: {name} is not {value!r}; resolve it, run again")


def _require(condition: str, message: str) -> Iterator[str]:
    yield f"SELECT {condition} AS pgr_ok \\gset"
    yield "\\if :pgr_ok"
    yield "\\else"
    yield from _stop(message)
    yield "\\endif"


def _stop(message: str) -> Iterator[str]:
    """End the script with exit status 3, which psql gives for an error under ON_ERROR_STOP only."""
    literal = quote_literal("stopped: " + message)
    tag = next(tag for tag in (f"$stop{n or ''}$" for n in itertools.count()) if tag not in literal)
    yield f"  DO {tag} BEGIN RAISE EXCEPTION USING MESSAGE = {literal}; END {tag};"


def _psql_quoted(text: str) -> str:
    """``text`` as one argument of a psql command, which ends with its line."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n").replace("\r", "\\r") + "'"


def _one_line(text: str) -> str:
    """``text`` as a comment must be: what stands after the end of a line would be a statement."""
    return re.sub(r"[\r\n]+", " ", text)
