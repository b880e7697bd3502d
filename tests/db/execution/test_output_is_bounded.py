"""What cells print is bounded, whoever makes it: rows, notices, a wide value, a program."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from pgrehearse.execution.executor import Executor
from pgrehearse.execution.rehearser import run_cells
from pgrehearse.execution.results import CellResult
from pgrehearse.text.document import parse
from support.projects import fence

SAID = "prints more than 4,000,000 characters"


def ran(path: Path, dsn: str, text: str) -> list[CellResult]:
    document = parse("---\nbash: true\n---\n# Page\n" + text, path)
    with Executor(dsn, environment={}, path=path, major=18, timeout=25) as executor:
        return run_cells(executor, document.in_order(), document.cells)


@pytest.mark.parametrize(
    "source",
    [
        "SELECT * FROM generate_series(1, 10000000)",
        "SELECT n, repeat('x', 1000) FROM generate_series(1, 5000000) AS n",
        "DO $$ BEGIN LOOP RAISE NOTICE 'yes, and yes, and yes again'; END LOOP; END $$",
        "SELECT CASE n WHEN 1 THEN repeat('x', 100000) ELSE '' END FROM generate_series(1, 1000) AS n",
        "SELECT repeat('x', 5000000)",
        "SELECT format('SELECT %s', n) FROM generate_series(1, 5000000) AS n\n\\gexec",
        "DO $$ BEGIN RAISE EXCEPTION '%', repeat('x', 5000000); END $$",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i FROM n) SELECT i FROM n",
    ],
)
def test_rows_and_notices(source: str, tmp_path: Path, database: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end = "" if source.endswith("gexec") else ";"
    text = fence(f"SELECT 1;\n{source}{end}")
    results = ran(tmp_path / "page.md", database, text + fence("SELECT 2"))
    assert results[0].failure is not None
    assert SAID in results[0].failure.message
    assert results[0].failure.line == 7
    assert results[1].status == "notrun"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 800_000  # kB


def test_an_expected_error_does_not_hide_it(tmp_path: Path, database: str) -> None:
    source = "SELECT * FROM generate_series(1, 3000000)"
    (result,) = ran(tmp_path / "page.md", database, fence(source, 'expect="57014"'))
    assert result.failure is not None
    assert SAID in result.failure.message


def test_what_fits_is_as_before(tmp_path: Path, database: str) -> None:
    text = fence("SELECT n FROM generate_series(1, 100000) AS n")
    text += fence("SELECT 1 AS a WHERE false;\nSELECT 2 AS b")
    first, second = ran(tmp_path / "page.md", database, text)
    assert first.output.endswith(" 100000\n(100000 rows)")
    assert second.output == " a\n---\n(0 rows)\n\n b\n---\n 2\n(1 row)"


@pytest.mark.parametrize(
    "source", ["yes", "yes >&2", "head -c 9000000 /dev/zero", "yes & sleep 20", "(yes; true) | cat"]
)
def test_bash(source: str, tmp_path: Path) -> None:
    (result,) = ran(tmp_path / "page.md", "", fence(source, language="bash"))
    assert result.failure is not None
    assert SAID in result.failure.message
    assert result.seconds < 15


@pytest.mark.parametrize(
    "source",
    [
        "raise ValueError('x' * 20_000_000)",
        "raise ValueError('x\\n' * 2_000_000)",
        "error = ValueError()\nfor _ in range(100_000): error.add_note('note')\nraise error",
    ],
)
def test_what_an_exception_says(source: str, tmp_path: Path, database: str) -> None:
    (result,) = ran(tmp_path / "page.md", database, fence(source, language="python"))
    assert result.failure is not None
    assert "more characters" in result.failure.detail
    assert len(result.failure.message) + len(result.failure.detail) < 25_000


@pytest.mark.parametrize("source", ["print('a\\udc80b')", "raise ValueError('a\\udc80b')"])
def test_half_a_pair_of_surrogates_is_spelled(source: str, tmp_path: Path, database: str) -> None:
    (result,) = ran(tmp_path / "page.md", database, fence(source, language="python"))
    shown = result.failure.message if result.failure else result.output
    assert "a\\udc80b" in shown
    shown.encode()
