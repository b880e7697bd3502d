"""Promotion is installed, again, beside others' schemas and roles, and leaves the installer without power."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.promotion.installing import install
from pgrehearse.schema.dump import dump
from pgrehearse.servers import Servers
from support.databases import execute
from support.majors import OLD_AND_NEW
from support.promotions import Stage, approved, call, refused, staged, trail

P = "pgrehearse_promotion"


def test_installing_again_changes_nothing_and_leaves_the_installer_without_power(stage: Stage) -> None:
    approved(stage)
    before = trail(stage).head
    again = stage.install()
    assert (again.granted, again.revoked, trail(stage).head) == ((), (), before)
    owner = stage.group("owner")
    said = refused(lambda: stage.ask("installer", f"SET ROLE {owner}; UPDATE {P}.setting SET approvals = 0"))
    assert said.startswith("42501")
    assert "does not need" not in said
    # CREATEROLE holds its roles with the right to grant them, which is no membership that counts.
    assert "may not request" in refused(lambda: _request_as_definer(stage, "installer"))


def test_who_installs_is_a_member_of_nothing_however_roles_are_made(servers: Servers) -> None:
    server = servers.get(OLD_AND_NEW[-1])
    with staged(server, installed=False) as stage:
        execute(stage.dsn, f"ALTER ROLE {stage.who('installer')} SET createrole_self_grant = 'set, inherit'")
        stage.install()
        held = stage.ask(
            "installer",
            "SELECT r.rolname FROM pg_roles AS r WHERE r.rolname LIKE %s AND pg_has_role(r.oid, 'SET')",
            f"pgrehearse_{stage.environment.name}%",
        )
        assert held == []


def _request_as_definer(stage: Stage, person: str) -> object:
    execute(stage.dsn, f"GRANT USAGE ON SCHEMA {P} TO {stage.who(person)}")
    execute(stage.dsn, f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {P} TO {stage.who(person)}")
    return stage.request(person=person)


def test_rules_are_the_file_s_when_it_is_installed_again(stage: Stage) -> None:
    number, plan = approved(stage)
    stricter = replace(stage.environment, approvals=2)
    install(stage.as_("installer"), stricter, 0)
    with stage.applying() as ron:
        said = refused(lambda: ron.execute(call("start"), [number, plan, stage.gates()]))
    assert said == f"55000 promotion {number} has 1 of 2 approvals"


def test_a_schema_or_role_of_others_is_not_taken_over(stage: Stage) -> None:
    execute(stage.dsn, f"ALTER SCHEMA {P} OWNER TO {stage.who('ron')}")
    with pytest.raises(SetupError, match="the schema pgrehearse_promotion belongs to ron"):
        stage.install()
    execute(stage.dsn, f"ALTER SCHEMA {P} OWNER TO {stage.group('owner')}")
    execute(stage.dsn, f"GRANT {stage.group('owner')} TO {stage.who('ron')}")
    with pytest.raises(SetupError, match="has members, who could change what is recorded"):
        stage.install()
    execute(stage.dsn, f"REVOKE {stage.group('owner')} FROM {stage.who('ron')}")
    execute(stage.dsn, f"ALTER ROLE {stage.group('viewer')} LOGIN")
    with pytest.raises(SetupError, match="has powers of its own"):
        stage.install()


def test_who_owns_the_database_can_still_dump_it_for_every_command(stage: Stage) -> None:
    stage.ask("ron", "CREATE TABLE shop (id int)")
    for owners, ledger in ((True, True), (False, True), (True, False)):
        text = dump(stage.as_("ron"), owners=owners, ledger=ledger, create=owners).text
        assert ("CREATE TABLE public.shop" in text, P in text) == (True, False)


def test_a_dashboard_sees_sessions_where_the_installer_may_grant_so(stage: Stage) -> None:
    question = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')"
    execute(stage.dsn, f"GRANT {stage.group('dashboard')} TO {stage.who('nora')}")
    old = stage.server.major < 16  # CREATEROLE was enough to grant it
    assert stage.ask("nora", question) == [(old,)]
    install(stage.dsn, stage.environment, 0)  # as the superuser
    assert stage.ask("nora", question) == [(True,)]
    assert stage.ask("vic", question) == [(False,)]
