"""For readers in a hurry: a statement that ends sessions ends the one in the way, not all of a kind."""

from __future__ import annotations

import re

import pytest

from pgrehearse.text.document import load
from support import ROOT

#: What names a session: who is in the way, a lock, the oldest, a text or name that the page's own has.
_NAMED = re.compile(r"pg_blocking_pids|pg_locks|\bLIMIT 1\b|\bquery LIKE\b|application_name =|_backend\(\d")
#: Not in a text that a query only prints.
_ENDS = re.compile(r"(?<!'SELECT )\bpg_terminate_backend\(", re.IGNORECASE)


def ends_a_kind(statement: str) -> bool:
    """Whether ``statement`` ends sessions, and says neither which one nor whom it keeps waiting."""
    return bool(_ENDS.search(statement)) and not _NAMED.search(statement)


def test_no_statement_ends_all_sessions_of_a_kind() -> None:
    found = []
    for path in sorted((ROOT / "docs").rglob("*.md")):
        for cell in load(path).cells:
            if cell.language == "sql" and ends_a_kind(cell.source):
                found.append(f"{path.relative_to(ROOT)}:{cell.line}")
    assert found == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'", True),
        ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()", True),
        ("SELECT pg_terminate_backend(4711)", False),
        ("SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'", False),
        ("SELECT format('SELECT pg_terminate_backend(%s)', pid) FROM pg_stat_activity", False),
        ("SELECT pg_terminate_backend(p) FROM unnest(pg_blocking_pids(4711)) AS p", False),
    ],
)
def test_what_ends_a_kind(statement: str, expected: bool) -> None:
    assert ends_a_kind(statement) is expected
