"""Costs become lines for COPY, whatever a statement holds."""

from __future__ import annotations

from pgrehearse.migration.runner.ledger_rows import Cost
from pgrehearse.migration.runner.spool import Spool


def test_a_cost_is_one_line() -> None:
    spool = Spool()
    spool.add(Cost(1, 2, "a\tb\\n\nc\r\\.", "done", 1.5, None, 7, None, ('"My\\ own".t', "a,b")))
    spool.add(Cost(2, 3, "SELECT 1", "done", tries=2))
    assert "".join(spool.lines(9, "rolled back")).split("\n") == [
        "9\trolled back\t1\t2\ta\\tb\\\\n\\nc\\r\\\\.\t1.5\t\\N\t7\t\\N"
        '\t{"\\\\"My\\\\\\\\ own\\\\".t","a,b"}\t1',
        "9\trolled back\t2\t3\tSELECT 1\t\\N\t\\N\t\\N\t\\N\t{}\t2",
        "",
    ]
    spool.clear()
    assert list(spool.lines(9, "done")) == []
    spool.close()
