"""Whose code runs when somebody looks, what a role may not see, and names that are meant to harm."""

from __future__ import annotations

import psycopg
import pytest

from pgrehearse.status.fact import Unknown
from support.databases import Owned, execute
from support.snapshots import Seen, known, place_of

_EVIL = """
CREATE FUNCTION public.evil() RETURNS text LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'evil ran as %', current_user; END $$;
"""


def test_what_the_owner_puts_in_the_place_of_a_table_does_not_run_as_whoever_looks(
    seen: Seen, owned: Owned
) -> None:
    """A view runs as its reader: a superuser who asks for the status would do what the owner wrote."""
    execute(
        owned.dsn,
        _EVIL + "CREATE SCHEMA pgrehearse; CREATE VIEW pgrehearse.run AS SELECT 1 AS id, evil() AS runbook,"
        " '' AS given, '{}'::text[] AS phases, now() AS started, 'stopped' AS outcome, 'x' AS who",
    )
    assert seen.unknown()["leftovers"].startswith(
        "refused: the ledger of runs cannot be trusted: pgrehearse.run"
    )
    with pytest.raises(psycopg.errors.RaiseException, match="evil ran as postgres"):
        execute(owned.admin, "SELECT * FROM pgrehearse.run")


def test_a_schema_that_the_owner_calls_that_of_promotions_is_not_believed(seen: Seen, owned: Owned) -> None:
    seen.place = place_of(seen.dsn, without=(), mark="production")
    assert "promotion" not in seen.unknown()
    execute(owned.dsn, _EVIL + "CREATE SCHEMA pgrehearse_promotion")
    columns = "approvals, soak, gates, requesters, approvers, runners, viewers, installed_at, environment"
    views = "".join(
        f"CREATE VIEW pgrehearse_promotion.{name} AS SELECT "
        + ", ".join(f"evil() AS {column.strip()}" for column in columns.split(","))
        + ";"
        for name in ("setting", "promotion", "approval", "audit")
    )
    execute(owned.dsn, views)
    assert seen.unknown()["promotion"] == (
        f"refused: the schema pgrehearse_promotion belongs to {owned.owner}, so nothing of it is believed"
    )


def test_a_cast_of_somebodys_own_is_not_used_where_a_table_is_looked_for_elsewhere(
    seen: Seen, owned: Owned
) -> None:
    """dbmate's table may lie in any schema; its version is text in all that dbmate makes."""
    execute(owned.dsn, _EVIL + "CREATE TYPE public.mine AS ENUM ('1')")
    execute(
        owned.dsn,
        "CREATE FUNCTION public.evil(public.mine) RETURNS text LANGUAGE sql AS 'SELECT public.evil()';"
        "CREATE CAST (public.mine AS text) WITH FUNCTION public.evil(public.mine);"
        "CREATE SCHEMA shop; CREATE TABLE shop.schema_migrations (version public.mine);"
        "INSERT INTO shop.schema_migrations VALUES ('1')",
    )
    with pytest.raises(psycopg.errors.RaiseException, match="evil ran as postgres"):
        execute(owned.admin, "SELECT version::text FROM shop.schema_migrations")
    unknown = seen.unknown()
    execute(
        owned.admin, "DROP TYPE public.mine CASCADE; DROP FUNCTION public.evil()"
    )  # by one who may do both
    assert "migrations" not in unknown


def test_a_type_of_somebodys_own_is_not_cast_by_whoever_looks(seen: Seen, owned: Owned) -> None:
    seen.migration(1, "SELECT 1;")
    seen.up()
    assert "migrations" not in seen.unknown()
    execute(owned.admin, f"ALTER TABLE public.schema_migrations OWNER TO {owned.owner}")
    execute(
        owned.dsn,
        "CREATE TYPE public.mine AS ENUM ('1');"
        "ALTER TABLE public.schema_migrations"
        " ALTER version TYPE public.mine USING version::text::public.mine",
    )
    said = seen.unknown()["migrations"]
    assert "has a type that is not PostgreSQL's own in the column version" in said
    execute(
        owned.dsn,
        "ALTER TABLE public.schema_migrations ALTER version TYPE varchar(128) USING version::text,"
        " ADD COLUMN note public.mine",
    )
    assert "migrations" not in seen.unknown()  # a column that nobody here reads


def test_what_a_role_may_not_see_is_unknown_and_said(seen: Seen, owned: Owned) -> None:
    seen.migration(1, "CREATE TABLE shop (id int);")
    seen.up()
    assert seen.unknown(owned.dsn).keys() == {"migrations", "last", "drift", "leftovers", "holding"}
    facts = seen.facts(owned.dsn)
    rights = known(facts["rights"])
    assert rights.user == owned.owner
    assert rights.may_not == (
        "sessions of other roles",
        "pgrehearse.attempt",
        "pgrehearse.statement",
        "public.schema_migrations",
    )
    holding, ledger = facts["holding"], facts["migrations"]
    assert isinstance(holding, Unknown)
    assert holding.next_step == f"GRANT pg_read_all_stats TO {owned.owner}, as a role that may"
    assert isinstance(ledger, Unknown)
    assert "permission denied" in ledger.reason
    execute(owned.admin, f"GRANT pg_read_all_stats, pg_read_all_data TO {owned.owner}")
    assert seen.unknown(owned.dsn).keys() == {"drift"}


def test_hostile_names_are_data(seen: Seen, owned: Owned) -> None:
    name = "<b>\x1b[2J\u202e'\"&"
    quoted = '"' + name.replace('"', '""') + '"'
    execute(owned.admin, f"CREATE TABLE {quoted} (id int)")
    execute(owned.admin, f"ALTER TABLE {quoted} ADD CONSTRAINT {quoted} CHECK (id > 0) NOT VALID")
    (said,) = seen.said("leftovers")
    assert name.replace('"', '""') in said
