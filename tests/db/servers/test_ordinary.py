"""A role without powers, for schemas that somebody else wrote."""

from __future__ import annotations

from pgrehearse.servers import Server
from pgrehearse.servers.ordinary import ordinary
from support.databases import execute


def test_a_role_without_powers_is_one_and_goes(server: Server) -> None:
    count = "SELECT count(*) FROM pg_roles"
    before = execute(server.dsn(), count)
    with ordinary(server) as within:
        assert within.watching is server
        powers = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
        own = f"SELECT {powers} FROM pg_roles WHERE rolname = current_user"
        assert execute(within.dsn(), own) == [(False,)]
        memberships = "SELECT count(*) FROM pg_auth_members WHERE member = current_user::regrole"
        assert execute(within.dsn(), memberships) == [(0,)]
        with ordinary(within) as same:
            assert same is within
    assert execute(server.dsn(), count) == before
