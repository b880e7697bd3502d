"""An optional log of DDL that came past the runner: an event trigger, so that drift has a name and a time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import psycopg

from pgrehearse.errors import SetupError
from pgrehearse.migration.runner.exclusive import LOCK
from pgrehearse.schema.compare import Difference
from pgrehearse.schema.dump import OPTIONS

__all__ = ["LoggedChange", "entries", "install", "matching", "remove"]

#: Statements that may hold a password are logged by their kind only. The runner is known by its lock.
_INSTALL = f"""
DROP EVENT TRIGGER IF EXISTS pgrehearse_log_ddl;
DROP EVENT TRIGGER IF EXISTS pgrehearse_log_drop;
CREATE SCHEMA IF NOT EXISTS pgrehearse;
CREATE TABLE IF NOT EXISTS pgrehearse.ddl (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL DEFAULT session_user,
    application text NOT NULL,
    address inet,
    tag text NOT NULL,
    objects text NOT NULL,
    statement text NOT NULL
);
COMMENT ON TABLE pgrehearse.ddl IS 'DDL that did not come from pgrehearse db; see pgrehearse db check.';
CREATE OR REPLACE FUNCTION pgrehearse.log_ddl() RETURNS event_trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    names text;
BEGIN
    IF EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = {LOCK[0]} AND objid = {LOCK[1]}
                  AND pid = pg_backend_pid() AND granted) THEN
        RETURN;
    END IF;
    IF TG_EVENT = 'sql_drop' THEN
        IF TG_TAG NOT LIKE 'DROP%' THEN RETURN; END IF;  -- the end of that command is logged
        SELECT string_agg(object_identity, ', ') INTO names FROM pg_event_trigger_dropped_objects()
         WHERE original AND NOT is_temporary;
        IF names IS NULL THEN RETURN; END IF;
    ELSE
        SELECT string_agg(object_identity, ', ') INTO names FROM pg_event_trigger_ddl_commands()
         WHERE schema_name IS DISTINCT FROM 'pg_temp';
        IF names IS NULL AND (TG_TAG LIKE 'DROP%' OR EXISTS (SELECT FROM pg_event_trigger_ddl_commands()
                              WHERE schema_name = 'pg_temp')) THEN RETURN; END IF;
    END IF;
    INSERT INTO pgrehearse.ddl (application, address, tag, objects, statement)
    VALUES (current_setting('application_name'), inet_client_addr(), TG_TAG, coalesce(names, ''),
            CASE WHEN TG_TAG ~ '(USER MAPPING|SUBSCRIPTION|SERVER)$' THEN TG_TAG ELSE current_query() END);
EXCEPTION WHEN others THEN
    RAISE WARNING 'not logged in pgrehearse.ddl: %', SQLERRM;
END
$body$;
CREATE EVENT TRIGGER pgrehearse_log_ddl ON ddl_command_end EXECUTE FUNCTION pgrehearse.log_ddl();
CREATE EVENT TRIGGER pgrehearse_log_drop ON sql_drop EXECUTE FUNCTION pgrehearse.log_ddl();
"""
_REMOVE = """
DROP EVENT TRIGGER IF EXISTS pgrehearse_log_ddl;
DROP EVENT TRIGGER IF EXISTS pgrehearse_log_drop;
DROP FUNCTION IF EXISTS pgrehearse.log_ddl();
DROP TABLE IF EXISTS pgrehearse.ddl;
"""


@dataclass(frozen=True)
class LoggedChange:
    """One statement that came past the runner."""

    at: datetime
    who: str
    application: str
    tag: str
    objects: str
    statement: str


def install(conninfo: str) -> None:
    """Begin to log. Raises SetupError: only a superuser may create an event trigger."""
    _run(conninfo, _INSTALL)


def remove(conninfo: str) -> None:
    """Stop logging, and drop the log. Raises SetupError."""
    _run(conninfo, _REMOVE)


def entries(conninfo: str) -> list[LoggedChange] | None:
    """The log, oldest first; None where nothing is logged. Raises SetupError: it may not be read."""
    try:
        with psycopg.connect(conninfo, options=OPTIONS, autocommit=True) as connection:
            row = connection.execute("SELECT to_regclass('pgrehearse.ddl')").fetchone()
            if row is None or row[0] is None:
                return None
            query = "SELECT at, who, application, tag, objects, statement FROM pgrehearse.ddl ORDER BY id"
            return [LoggedChange(*found) for found in connection.execute(query)]
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise SetupError(f"the log cannot be read: {reason}", next_step="GRANT pg_read_all_data") from None


def matching(log: Iterable[LoggedChange], drift: Iterable[Difference]) -> list[LoggedChange]:
    """Entries that name what differs: the object itself, or what a statement of the difference names."""
    names: set[str] = set()
    for one in drift:
        names.add(_last(one.object))
        if found := re.search(r"(?:INDEX|CONSTRAINT|TRIGGER|POLICY|STATISTICS) ([\w.\"]+)", one.sql):
            names.add(_last(found[1]))
    names -= {""}
    return [entry for entry in log if names & set(re.findall(r"\w+", f"{entry.objects} {entry.statement}"))]


def _last(name: str) -> str:
    words = re.findall(r"\w+", name.split("(")[0])
    return words[-1] if words else ""


def _run(conninfo: str, script: str) -> None:
    try:
        with psycopg.connect(conninfo) as connection:
            connection.execute(script.encode())
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise SetupError(
            f"the log was not changed: {reason}", next_step="connect as a superuser, who owns event triggers"
        ) from None
