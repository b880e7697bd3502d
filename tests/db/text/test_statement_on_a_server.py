"""What is said of statements by their text, asked of PostgreSQL itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.execution.databases import Databases
from pgrehearse.servers import Server
from pgrehearse.text.front_matter import Database
from pgrehearse.text.project import Project
from pgrehearse.text.statement import classify

SETUP = """
CREATE TABLE t (n int CONSTRAINT t_pkey PRIMARY KEY);
CREATE TABLE p (n int) PARTITION BY RANGE (n);
CREATE TABLE c PARTITION OF p FOR VALUES FROM (1) TO (2);
CREATE MATERIALIZED VIEW v AS SELECT 1 AS n;
CREATE UNIQUE INDEX v_n ON v (n)
"""
STATEMENTS = [
    "CREATE INDEX i ON t (n)",
    "CREATE INDEX CONCURRENTLY i ON t (n)",
    "create unique index\nconcurrently i on t (n)",
    "DROP INDEX CONCURRENTLY v_n",
    "DROP INDEX v_n",
    "REINDEX TABLE t",
    "REINDEX TABLE CONCURRENTLY t",
    "REINDEX (VERBOSE, CONCURRENTLY) TABLE t",
    "REINDEX (CONCURRENTLY off) TABLE t",
    "REINDEX SCHEMA public",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    "VACUUM t",
    "ANALYZE t",
    "CLUSTER",
    "CLUSTER (VERBOSE)",
    "CLUSTER VERBOSE t USING t_pkey",
    "ALTER TABLE p DETACH PARTITION c",
    "ALTER TABLE p DETACH PARTITION c CONCURRENTLY",
    "ALTER SYSTEM RESET work_mem",
    "CREATE DATABASE pgrehearse_never",
    "DROP DATABASE IF EXISTS pgrehearse_never",
    "ALTER DATABASE pgrehearse_never SET TABLESPACE pg_default",
    "ALTER DATABASE {} SET work_mem = '8MB'",
    "CREATE TABLESPACE pgrehearse_never LOCATION '/nowhere'",
    "DROP TABLESPACE pgrehearse_never",
    "CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere' PUBLICATION p",
    "DISCARD ALL",
    "DISCARD PLANS",
    "COMMIT PREPARED 'pgrehearse_never'",
    "ROLLBACK PREPARED 'pgrehearse_never'",
    "LOCK TABLE t",
    "SET CONSTRAINTS ALL DEFERRED",
    "COMMENT ON TABLE t IS 'VACUUM'",
]


@pytest.fixture
def dsn(server: Server, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "pyproject.toml").write_text("")
    databases = Databases(server, Project.at(tmp_path))
    name = databases.fresh(Database(empty=True), "statement")
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute(SETUP)
    yield server.dsn(name)
    databases.close()


def test_what_refuses_a_transaction(dsn: str) -> None:
    said, real = {}, {}
    with psycopg.connect(dsn, autocommit=True) as connection:
        for pattern in STATEMENTS:
            sql = pattern.format(connection.info.dbname)
            said[pattern] = classify(sql).alone
            connection.execute("BEGIN")
            try:
                connection.execute(sql.encode())
                real[pattern] = False
            except psycopg.Error as error:
                real[pattern] = error.sqlstate == "25001"
            connection.execute("ROLLBACK")
    assert said == real
    assert set(real.values()) == {True, False}
