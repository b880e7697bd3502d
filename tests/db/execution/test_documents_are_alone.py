"""What a document leaves on the server reaches no other document, whatever kind of thing it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.servers import Servers
from pgrehearse.text.project import Project
from support.majors import TEST_MAJOR
from support.projects import fence, write_document

TRUE = " absent\n--------\n t\n(1 row)"
COUNT = fence("SELECT count(*) FROM items;", expected=" count\n-------\n  1000\n(1 row)")
#: What it is -> statements that leave it, and a query that is true where nobody did.
LEFT = {
    "role left_role": ("CREATE ROLE left_role", "to_regrole('left_role') IS NULL"),
    "role postgres": ("ALTER ROLE postgres SET work_mem = '5MB'", "current_setting('work_mem') <> '5MB'"),
    "password of postgres": (
        "ALTER ROLE postgres PASSWORD 'x'",
        "(SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'postgres')",
    ),
    "membership pg_monitor in pg_read_all_data": (
        "GRANT pg_read_all_data TO pg_monitor",
        "NOT pg_has_role('pg_monitor', 'pg_read_all_data', 'MEMBER')",
    ),
    "server setting work_mem": (
        "ALTER SYSTEM SET work_mem = '6MB';\nSELECT pg_reload_conf()",
        "NOT EXISTS (SELECT FROM pg_file_settings WHERE name = 'work_mem')",
    ),
    "settings of all roles in template1": (
        "ALTER DATABASE template1 SET work_mem = '7MB'",
        "NOT EXISTS (SELECT FROM pg_db_role_setting WHERE '7MB' = ANY"
        " (SELECT split_part(c, '=', 2) FROM unnest(setconfig) AS c))",
    ),
    "database left_database": (
        "CREATE DATABASE left_database",
        "NOT EXISTS (SELECT FROM pg_database WHERE datname = 'left_database')",
    ),
    "database template1": (
        "ALTER DATABASE template1 CONNECTION LIMIT 7",
        "(SELECT datconnlimit = -1 FROM pg_database WHERE datname = 'template1')",
    ),
    "comment on pg_monitor": (
        "COMMENT ON ROLE pg_monitor IS 'x'",
        "shobj_description('pg_monitor'::regrole, 'pg_authid') IS NULL",
    ),
    "rights on parameter log_statement": (
        "GRANT SET ON PARAMETER log_statement TO pg_monitor",
        "NOT EXISTS (SELECT FROM pg_parameter_acl WHERE parname = 'log_statement')",
    ),
    "replication slot left_slot": (
        "SELECT FROM pg_create_physical_replication_slot('left_slot')",
        "NOT EXISTS (SELECT FROM pg_replication_slots)",
    ),
    "prepared transaction left": (
        "BEGIN;\nCREATE TABLE prepared (n int);\nPREPARE TRANSACTION 'left'",
        "NOT EXISTS (SELECT FROM pg_prepared_xacts)",
    ),
    "file in the data directory left_file": (
        "COPY (SELECT 1) TO PROGRAM 'cat > left_file'",
        "NOT EXISTS (SELECT FROM pg_ls_dir('.') AS file WHERE file = 'left_file')",
    ),
}
#: The same from a connection of a Python cell to a database that others find.
ELSEWHERE = """
import psycopg
with psycopg.connect(dbname={!r}, autocommit=True) as connection:
    connection.execute({!r})
"""
OBJECTS = [
    ("template1", "CREATE TABLE left_table (n int)", "to_regclass('left_table') IS NULL"),
    ("template1", "DROP EXTENSION plpgsql", "EXISTS (SELECT FROM pg_extension WHERE extname = 'plpgsql')"),
    ("postgres", "CREATE FUNCTION left_function() RETURNS int RETURN 1", "true"),
]


@pytest.fixture(scope="module")
def shared() -> Iterator[Servers]:
    with Servers() as servers:
        yield servers


@pytest.mark.parametrize("name", LEFT)
def test_the_next_document_does_not_find_it(name: str, project: Project, rehearser: Rehearser) -> None:
    leaves, absent = LEFT[name]
    first = write_document(project, "a.md", fence(leaves))
    second = write_document(project, "b.md", fence(f"SELECT {absent} AS absent;", expected=TRUE))
    result = rehearser.rehearse(first, TEST_MAJOR, second)
    assert result.green, result.report("a.md")
    assert any(name in note for note in result.notes), result.notes
    found = rehearser.rehearse(second, TEST_MAJOR)
    assert found.green, found.report("b.md")
    assert found.notes == ()


@pytest.mark.parametrize(("database", "statement", "absent"), OBJECTS)
def test_databases_that_everybody_finds(
    database: str, statement: str, absent: str, project: Project, rehearser: Rehearser
) -> None:
    first = write_document(project, "a.md", fence(ELSEWHERE.format(database, statement), language="python"))
    head = "---\ndatabase: empty\njupyter:\n  jupytext:\n    main_language: python\n---\n"
    second = write_document(project, "b.md", fence(f"SELECT {absent} AS absent;", expected=TRUE), head=head)
    result = rehearser.rehearse(first, TEST_MAJOR, second)
    assert result.green, result.report("a.md")
    assert any(f"objects in {database}" in note for note in result.notes), result.notes
    assert rehearser.rehearse(second, TEST_MAJOR).green


def test_a_document_finds_nothing_of_its_own_last_run(project: Project, rehearser: Rehearser) -> None:
    document = write_document(project, "a.md", fence("CREATE ROLE left_role;"))
    assert rehearser.rehearse(document, TEST_MAJOR).green
    assert rehearser.rehearse(document, TEST_MAJOR).green


def test_what_a_document_cleans_up_is_not_left(project: Project, rehearser: Rehearser) -> None:
    text = "CREATE ROLE left_role;\nDROP ROLE left_role;\nCREATE DATABASE left_one;\nDROP DATABASE left_one;"
    first = write_document(
        project, "a.md", fence(text), fence("CREATE TABLE t (n int);\nINSERT INTO items SELECT 1;")
    )
    result = rehearser.rehearse(first, TEST_MAJOR)
    assert result.green
    assert result.notes == ()
    server = rehearser.servers.get(TEST_MAJOR)
    rehearser.rehearse(write_document(project, "b.md", fence("SELECT 1;")), TEST_MAJOR)
    assert rehearser.servers.get(TEST_MAJOR) is server


def test_on_a_server_of_others_it_is_red(
    project: Project, monkeypatch: pytest.MonkeyPatch, rehearser: Rehearser
) -> None:
    """Nobody may replace that; the next document is not blamed for it."""
    monkeypatch.setattr(type(rehearser.servers.get(TEST_MAJOR)), "ours", False)
    result = rehearser.rehearse(write_document(project, "a.md", fence("CREATE ROLE left_role;")), TEST_MAJOR)
    assert not result.green
    assert "it left behind what other documents find, too: role left_role" in result.report("a.md")
    assert "next: remove it in a last cell" in result.report("a.md")
    assert rehearser.rehearse(write_document(project, "b.md", fence("SELECT 1;")), TEST_MAJOR).green


def test_a_failed_document_keeps_its_server(project: Project, rehearser: Rehearser) -> None:
    first = write_document(project, "a.md", fence("CREATE ROLE left_role;"), fence("SELECT 1/0;"))
    result = rehearser.rehearse(first, TEST_MAJOR)
    assert result.psql_line
    second = rehearser.rehearse(write_document(project, "b.md", fence("CREATE ROLE left_role;")), TEST_MAJOR)
    assert second.green, second.report("b.md")


def test_templates_are_closed(project: Project, rehearser: Rehearser) -> None:
    source = """
import psycopg
with psycopg.connect(autocommit=True) as connection:
    query = "SELECT datname FROM pg_database WHERE datname ~ '_template_1000$'"
    (found,) = connection.execute(query).fetchone()
try:
    psycopg.connect(dbname=found).close()
except psycopg.OperationalError as error:
    print("not currently accepting connections" in str(error))
"""
    first = write_document(project, "a.md", fence(source, language="python", expected="True"))
    result = rehearser.rehearse(first, TEST_MAJOR)
    assert result.green, result.report("a.md")


def test_a_template_that_was_opened_is_not_used(project: Project, rehearser: Rehearser) -> None:
    source = """
import psycopg
with psycopg.connect(autocommit=True) as connection:
    query = "SELECT datname FROM pg_database WHERE datname ~ '_template_1000$'"
    (found,) = connection.execute(query).fetchone()
    connection.execute(f'ALTER DATABASE "{found}" ALLOW_CONNECTIONS true')
with psycopg.connect(dbname=found, autocommit=True) as connection:
    connection.execute("DELETE FROM items")
"""
    first = write_document(project, "a.md", fence(source, language="python"))
    second = write_document(project, "b.md", COUNT)
    assert any("template" in note for note in rehearser.rehearse(first, TEST_MAJOR).notes)
    assert rehearser.rehearse(second, TEST_MAJOR).green
