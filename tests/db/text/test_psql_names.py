"""What the SQL at the head of an exported script makes of names, on the server."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from pgrehearse.servers import Server
from pgrehearse.text.document import parse
from pgrehearse.text.psql_names import NO_NAME, as_meant
from pgrehearse.text.psql_script import to_psql
from pgrehearse.text.written_names import NameKind
from support.name_spellings import SPELLINGS


@pytest.mark.parametrize("kind", list(NO_NAME), ids=lambda kind: kind.value)
def test_a_script_reads_names_as_a_run_does(server: Server, kind: NameKind) -> None:
    *lines, end = as_meant("value", kind)
    assert end == "\\gset"
    query = "\n".join(lines).replace("%", "%%").replace(":'value'", "%s")
    given = {typed: meant for one, typed, meant in SPELLINGS if one == kind.value}
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        found = {typed: connection.execute(query, [typed]).fetchone() for typed in given}  # type: ignore[call-overload]
    assert {typed: row and row[0] for typed, row in found.items()} == given
    assert any(meant is None for meant in given.values())


def test_a_script_says_which_value_is_no_name() -> None:
    front = "---\ntitle: S\nparameters:\n  t: {description: T, kind: relation, example: x}\n---\n\n# S\n\n"
    cells = "## Preflight\n\n```sql\nSELECT :'t';\n```\n\n## Apply\n\n```sql\nSELECT :'t';\n```\n"
    script = to_psql(parse(front + cells, Path("s.md")), "s.md")
    assert "stopped: t is no name with or without a schema" in script
    assert "stopped: t is no name" not in to_psql(
        parse((front + cells).replace(" kind: relation,", ""), Path("s.md")), "s.md"
    )
