"""What the statements of a transaction cost, kept until its end: on disk when they are many."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from pgrehearse.migration.runner.ledger_rows import Cost

__all__ = ["Spool"]

#: Bytes that are kept in memory, and that are read at once.
_KEPT = 1 << 22
_READ = 1 << 16


class Spool:
    """Costs as lines for COPY, in the order of `COLUMNS`; the outcome, which the end decides, is left out."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_KEPT, "w+", encoding="utf-8", newline="")  # noqa: SIM115

    def close(self) -> None:
        self._file.close()

    def clear(self) -> None:
        """Forget all of them."""
        self._file.seek(0)
        self._file.truncate()

    def add(self, cost: Cost) -> None:
        rows = r"\N" if cost.rows is None else cost.rows
        names = _array(cost.rewritten) if cost.rewritten else "{}"
        self._file.write(
            f"{cost.number}\t{cost.line}\t{_escaped(cost.sql)}\t{_null(cost.milliseconds)}"
            f"\t{_null(cost.lock_wait_ms)}\t{_null(cost.wal_bytes)}\t{rows}\t{names}\t{cost.tries}\n"
        )

    def lines(self, attempt: int, outcome: str) -> Iterator[str]:
        """Pieces of text with whole lines: each cost, of ``attempt`` and with ``outcome``."""
        self._file.seek(0)
        while lines := self._file.readlines(_READ):
            yield "".join([f"{attempt}\t{outcome}\t{line}" for line in lines])


def _null(value: float | None) -> str:
    return r"\N" if value is None else f"{value:.12g}"


def _escaped(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\n" in text:
        text = text.replace("\n", "\\n")
    if "\t" in text:
        text = text.replace("\t", "\\t")
    return text.replace("\r", "\\r") if "\r" in text else text


def _array(names: tuple[str, ...]) -> str:
    quoted = ('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in names)
    return _escaped("{" + ",".join(quoted) + "}")
