r"""A file that was written for psql, such as a dump: statements, and rows for COPY.

Nobody gives such a file to psql here. A command of psql's runs programs, reads other files and connects to
other databases, with the powers of whoever gave psql the file. So it is read as SQL; a command is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pgrehearse.text.split import SplitError, Splitter, Statement, Token, scanned

__all__ = ["statements"]

#: pg_dump writes these around its statements; they only forbid what is refused here anyway.
_HARMLESS = re.compile(r"\\(?:un)?restrict(?: +\w+)?\s*")
_FIX = {
    "\\connect": "dump without --create and --clean: a file is loaded into one database, a disposable one",
    "\\gexec": "leave out the semicolon before \\gexec",
}
_FIX["\\c"] = _FIX["\\connect"]
_END_OF_ROWS = re.compile(r"^\\\.\r?$", re.M)


def statements(text: str) -> list[Statement]:
    """The statements of ``text``, each COPY with its rows. Raises SplitError: a command of psql's."""
    return _Script(text).all()


class _Script(Splitter):
    def scanned(self, start: int) -> Iterable[Token]:
        return scanned(self.text, start)  # one by one: rows for COPY need not be SQL

    def rows(self, end: int, line: int) -> str | None:
        begin = self.text.find("\n", end) + 1
        if self.text[end:begin].strip(";\r\n\t ") or not begin:
            raise SplitError("the rows of a COPY begin on the line after it", line, "give them a line each")
        last = _END_OF_ROWS.search(self.text, begin)
        if last is None:
            raise SplitError("the rows of this COPY have no end", line, "end them with a line \\.")
        self._resume = last.end()
        return self.text[begin : last.start()]

    def command(self, token: Token) -> bool:
        if token.text.strip() == "\\gexec":
            return super().command(token)
        if self._start is None and _HARMLESS.fullmatch(token.text):
            return False
        command = token.text.split()[0]
        raise SplitError(
            f"psql's command {command} is not carried out: this file may run no program and go nowhere else",
            self.text.count("\n", 0, token.offset) + 1,
            _FIX.get(command, "take the line out; what pg_dump writes needs only \\restrict, which is known"),
        )
