"""What a run says that it sent is what the server got: an event trigger writes down each DDL statement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.execution.databases import Databases
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.runbook.framing import kind_of
from pgrehearse.servers import Server
from pgrehearse.site.content.published import CellState
from pgrehearse.site.parts.sent import as_sent
from pgrehearse.text.document import load, parse
from pgrehearse.text.project import Project
from pgrehearse.text.split import split
from support import ROOT
from support.databases import Database

#: The server's own account, in order.
ACCOUNT = """
CREATE TABLE public.account (at bigint GENERATED ALWAYS AS IDENTITY, statement text);
CREATE FUNCTION public.note() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.account (statement) VALUES (current_query()); END $$;
CREATE EVENT TRIGGER account ON ddl_command_start EXECUTE FUNCTION public.note();
"""
CELLS = """\
## Apply

```sql
SELECT format('CREATE TABLE %I (n int)', :'name'), 'COMMENT ON TABLE ' || quote_ident(:'name') || ' IS ''x'''
\\gexec
ALTER TABLE :"name" ADD COLUMN label text DEFAULT :'label';
SELECT format('CREATE INDEX CONCURRENTLY ON %I (n)', :'name')
\\gexec
SELECT 'DROP TABLE missing' WHERE false
\\gexec
```
"""


_CHECK = load(ROOT / "runbooks" / "constraint-check.md")


def got(database: Database) -> list[str]:
    return [one for (one,) in database.execute("SELECT statement FROM public.account ORDER BY at")]


def test_it_is_what_the_server_got_in_order(database: str, server: Server) -> None:
    made = Database(database)
    made.execute(ACCOUNT)
    values = {"name": 'of "Ann"', "label": "it's \\ one"}
    (cell,) = parse(CELLS, Path("sample.md")).cells
    with Executor(
        made.dsn, environment={}, path=Path("sample.md"), major=server.major, values=values
    ) as executor:
        (result,) = executor.run(cell)
    assert result.failure is None
    assert list(result.sent) == got(made)
    assert len(result.sent) == 4


@pytest.fixture
def shop(server: Server, repository: Project) -> Iterator[Database]:
    """The handbook's own database."""
    databases = Databases(server, repository)
    name = databases.fresh(_CHECK.front.database, "sent")
    yield Database(server.dsn(name))
    databases.drop(name)
    databases.close()


def test_a_runbook_shows_what_the_server_got(shop: Database, server: Server) -> None:
    shop.execute(ACCOUNT)
    values = {name: one.example for name, one in _CHECK.front.parameters.items()}
    shown: list[str] = []
    with Executor(shop.dsn, environment={}, path=_CHECK.path, major=server.major, values=values) as executor:
        for cell in (one for one in _CHECK.cells if one.phase == "Apply"):
            (result,) = executor.run(cell)
            assert result.failure is None
            text = as_sent(CellState(cell, "run", sent=result.sent))
            shown += [one.sql for one in split(text or cell.source)]
    account = [one for one in got(shop) if "pg_temp" not in one]
    assert [one for one in shown if kind_of(one).ddl and "pg_temp" not in one] == account
    assert len(account) >= 3
