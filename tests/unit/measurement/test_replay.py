"""Which cells a measurement replays: bash cells only when one of them may have changed the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.measurement.replay import _relevant
from pgrehearse.text.document import load

PAGE = "---\nbash: true\n---\n\n# Page\n\n```bash\ncat > a.sql\n{}\n```\n\n```sql\nSELECT 1;\n```\n"


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("pgrehearse db lint a.sql", 1),
        ("git add . && sed -i s/a/b/ a.sql", 1),
        ("pgrehearse db up", 2),
        ("pgrehearse db lint --dsn dbname=x", 2),
        ("echo 'SELECT 1' |psql", 2),
        ("pgrehearse db lint; psql -c 'SELECT 1'", 2),
        ("$(which pg_restore) a", 2),
    ],
)
def test_bash_cells_are_left_out_together(tmp_path: Path, command: str, kept: int) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(command))
    assert len(_relevant(load(page).in_order())) == kept
