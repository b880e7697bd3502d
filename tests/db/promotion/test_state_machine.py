"""The state machine of promotions: the whole story, and everything it refuses, refused by PostgreSQL."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from psycopg.types.json import Jsonb

from pgrehearse.errors import SetupError
from pgrehearse.promotion import audit
from pgrehearse.promotion.installing import install
from pgrehearse.schema.dump import dump
from pgrehearse.servers import Servers
from support.databases import execute
from support.majors import OLD_AND_NEW
from support.promotions import ITEMS, Stage, call, refusal, staged

P = "pgrehearse_promotion"


def refused(act: Callable[[], object]) -> str:
    """What PostgreSQL says when it refuses ``act``."""
    with pytest.raises(psycopg.Error) as caught:
        act()
    return refusal(caught.value)


def trail(stage: Stage) -> audit.Trail:
    with psycopg.connect(stage.as_("vic"), autocommit=True) as connection:
        return audit.read(connection)


def approved(stage: Stage) -> tuple[int, str]:
    number, plan = stage.request()
    assert stage.approve("dora", number) == "approved"
    return number, plan


def test_the_whole_story(stage: Stage) -> None:
    number, plan = stage.request()
    assert stage.state(number) == "requested"
    assert stage.approve("dora", number) == "approved"
    with stage.applying() as ron:
        ron.execute(call("start"), [number, plan, stage.gates()])
        for item in (1, 2):
            ron.execute(call("step"), [number, 1, item, "started", Jsonb({})])
            ron.execute(call("step"), [number, 1, item, "done", Jsonb({"milliseconds": 3})])
        ron.execute(call("finish"), [number])
    assert stage.state(number) == "applied"
    found = trail(stage)
    assert found.problems == ()
    assert [entry["action"] for entry in found.entries] == [
        "install", "request", "approval", "approve", "start",
        "step started", "step done", "step started", "step done", "finish",
    ]  # fmt: skip
    assert {e["who"] for e in found.entries} == {
        stage.who(name) for name in ("installer", "rita", "dora", "ron")
    }


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


# --- each role can do its job, and nothing more ------------------------------------------------------------

_CAN = {
    "request": {"rita"},
    "approve": {"dora"},
    "start": {"ron"},
    "step": {"ron"},
    "stop": {"ron"},
    "finish": {"ron"},
    "cancel": {"rita", "dora"},  # ron may cancel what was stopped
    "look": {"rita", "dora", "ron", "vic"},
}


@pytest.mark.parametrize("person", ["rita", "dora", "ron", "vic", "nora", "installer", "postgres"])
def test_each_role_can_do_its_job_and_nothing_more(stage: Stage, person: str) -> None:
    number, plan = stage.request()
    values = {
        "request": (Jsonb(ITEMS), ["other"], ""),
        "approve": (number, plan),
        "start": (number, plan, stage.gates()),
        "step": (number, 1, 1, "started", Jsonb({})),
        "stop": (number, "no"),
        "finish": (number,),
        "cancel": (number, "no"),
    }
    for act, who in _CAN.items():
        with psycopg.connect(stage.as_(person)) as connection:
            try:
                if act == "look":
                    connection.execute(f"SELECT * FROM {P}.promotion".encode())
                else:
                    connection.execute(call(act).encode(), values[act])
                may = True
            except psycopg.errors.InsufficientPrivilege as error:
                may = False
                assert "permission denied" in str(error) or "may not" in str(error), f"{act}: {error}"
            except psycopg.errors.ObjectNotInPrerequisiteState:
                may = True  # the person may, the moment is wrong
            connection.rollback()
        if (person, act) != ("postgres", "look"):
            assert may == (person in who), f"{person} {act}"
    for table in ("promotion", "approval", "step", "item", "target", "audit", "setting", "transition"):
        for sql in (f"DELETE FROM {P}.{table}", f"TRUNCATE {P}.{table} CASCADE",
                    f"UPDATE {P}.{table} SET {_column(table)} = {_column(table)}",
                    f"INSERT INTO {P}.{table} OVERRIDING SYSTEM VALUE SELECT * FROM {P}.{table}",
                    f"DROP TABLE {P}.{table} CASCADE",
                    f"ALTER TABLE {P}.{table} DISABLE TRIGGER ALL"):  # fmt: skip
            if person != "postgres":
                assert refused(lambda sql=sql: stage.ask(person, sql)).startswith("42501"), sql


def _column(table: str) -> str:
    return {"audit": "entry", "setting": "approvals", "transition": "roles", "item": "name",
            "target": "database"}.get(table, "promotion" if table != "promotion" else "state")  # fmt: skip


# --- attacks --------------------------------------------------------------------------------------------


def test_nobody_approves_what_they_requested(stage: Stage) -> None:
    execute(stage.dsn, f"GRANT {stage.group('approver')} TO {stage.who('rita')}")
    number, _ = stage.request()
    assert refused(lambda: stage.approve("rita", number)) == (
        f"42501 {stage.who('rita')} requested promotion {number} and cannot approve it"
    )
    execute(stage.dsn, f"GRANT {stage.who('dora')} TO {stage.who('rita')}")
    said = refused(lambda: stage.ask("rita", f"SET ROLE {stage.who('dora')}; "
                                     f"SELECT {P}.approve({number}, '{stage.hash(number)}')"))  # fmt: skip
    assert "cannot approve it" in said


def test_an_approval_is_for_one_plan(stage: Stage) -> None:
    number, plan = approved(stage)
    changed = [ITEMS[0], {**ITEMS[1], "sha256": "c" * 64}]
    second, other = stage.request(changed)
    assert stage.state(number) == "superseded"
    assert plan != other
    assert "the plan changed" in refused(lambda: stage.approve("dora", second, plan))
    assert "is superseded: there is nothing to approve" in refused(
        lambda: stage.approve("dora", number, plan)
    )
    third, same = stage.request()  # the first plan again: its approval was for another request
    assert same == plan
    with stage.applying() as ron:
        for about, hash_ in ((third, plan), (number, plan), (second, plan)):
            assert refused(lambda a=about, h=hash_: ron.execute(call("start"), [a, h, stage.gates()]))
    assert (stage.state(number), stage.state(second), stage.state(third)) == (
        "superseded", "superseded", "requested",
    )  # fmt: skip


def test_a_migration_edited_after_the_approval_is_another_plan(stage: Stage) -> None:
    number, _ = approved(stage)
    with stage.applying() as ron:
        said = refused(lambda: ron.execute(call("start"), [number, "d" * 64, stage.gates()]))
    assert said == f"55000 the plan changed: promotion {number} was approved for another one"
    for sql in (f"UPDATE {P}.item SET sha256 = repeat('d', 64)",
                f"INSERT INTO {P}.item VALUES ({number}, 3, '3', '3_more', repeat('e', 64))",
                f"INSERT INTO {P}.target VALUES ({number}, 2, 'other')"):  # fmt: skip
        for person in ("postgres", "rita", "ron"):
            assert refused(lambda s=sql, p=person: stage.ask(p, s)).startswith("42501")


def test_an_approver_who_is_one_no_more_does_not_count(stage: Stage) -> None:
    number, plan = approved(stage)
    dan_only = {**stage.environment.members, "approver": (stage.who("dan"),)}
    done = install(stage.as_("installer"), replace(stage.environment, members=dan_only), 0)
    assert done.revoked == ((stage.group("approver"), stage.who("dora")),)
    with stage.applying() as ron:
        said = refused(lambda: ron.execute(call("start"), [number, plan, stage.gates()]))
        assert said.endswith(f"0 of 1 approvals: {stage.who('dora')} is no longer an approver")
        # A role made anew under the same name is somebody else.
        execute(stage.dsn, f"DROP ROLE {stage.who('dora')}; CREATE ROLE {stage.who('dora')} LOGIN IN ROLE"
                           f" {stage.group('approver')}")  # fmt: skip
        said = refused(lambda: ron.execute(call("start"), [number, plan, stage.gates()]))
        assert said.endswith("0 of 1 approvals: that role is gone")
        stage.approve("dan", number)
        ron.execute(call("start"), [number, plan, stage.gates()])
    assert stage.state(number) == "applying"


def test_an_approver_is_the_person_who_logged_in(stage: Stage) -> None:
    number, plan = stage.request()
    dora, approver = stage.who("dora"), stage.group("approver")
    approve = f"SELECT {P}.approve({number}, '{plan}')"
    for person in ("rita", "ron", "vic", "nora"):
        for sql in (f"SET ROLE {approver}", f"SET ROLE {dora}", f"SET SESSION AUTHORIZATION {dora}"):
            said = refused(lambda s=sql, p=person: stage.ask(p, f"{s}; {approve}"))
            assert said.startswith("42501 permission denied"), said
    said = refused(lambda: stage.ask("postgres", f"SET SESSION AUTHORIZATION {dora}; {approve}"))
    assert said == f"42501 this session logged in as postgres and calls itself {dora}"
    assert "may not approve" in refused(lambda: stage.ask("postgres", approve))


def test_a_state_is_not_written(stage: Stage) -> None:
    number, _ = stage.request()
    for person in ("rita", "dora", "ron", "vic", "postgres"):
        for state in ("approved", "applying", "applied", "nonsense"):
            sql = f"UPDATE {P}.promotion SET state = '{state}', action = 'approve' WHERE id = {number}"
            assert refused(lambda s=sql, p=person: stage.ask(p, s)).startswith(("42501", "55000"))
    assert stage.state(number) == "requested"


def test_a_step_is_not_forged(stage: Stage) -> None:
    number, plan = approved(stage)
    assert "not applying" in refused(lambda: stage.ask("ron", call("step"), number, 1, 1, "done", Jsonb({})))
    with stage.applying() as ron:
        ron.execute(call("start"), [number, plan, stage.gates()])
        said = refused(lambda: ron.execute(call("step"), [number, 1, 1, "done", Jsonb({})]))
        assert "was not started" in said
        assert refused(lambda: ron.execute(call("step"), [number, 1, 9, "started", Jsonb({})])).startswith(
            "23503"
        )
        assert "not done" in refused(lambda: ron.execute(call("finish"), [number]))
        for item in (1, 2):
            ron.execute(call("step"), [number, 1, item, "started", Jsonb({})])
            ron.execute(call("step"), [number, 1, item, "done", Jsonb({})])
        said = refused(lambda: ron.execute(call("step"), [number, 1, 1, "started", Jsonb({})]))
        assert said.endswith("step 1 of database 1 is done")
    for person in ("rita", "dora", "vic"):
        assert refused(lambda p=person: stage.ask(p, call("finish"), number)).startswith("42501")


def test_a_gate_that_is_red_or_missing_or_unknown_refuses(stage: Stage) -> None:
    number, plan = approved(stage)
    with stage.applying() as ron:
        for gates in (stage.gates(ledger=False), Jsonb([]), Jsonb(None), Jsonb({"gate": "ledger"}),
                      Jsonb([{"gate": "ledger", "green": "true"}]),
                      Jsonb([*stage.gates().obj, {"gate": "weather", "green": False}]),
                      Jsonb([*stage.gates().obj, {"green": None}])):  # fmt: skip
            said = refused(lambda g=gates: ron.execute(call("start"), [number, plan, g]))
            assert said.startswith("55000 gates that are not green"), said
    assert stage.state(number) == "approved"


def test_without_the_lock_nothing_is_started_and_two_never_apply(stage: Stage) -> None:
    number, plan = approved(stage)
    start = [number, plan, stage.gates()]
    assert "does not hold the lock" in refused(lambda: stage.ask("ron", call("start"), *start))
    with stage.applying() as ron:
        assert "does not hold the lock" in refused(lambda: stage.ask("ron", call("start"), *start))
        ron.execute(call("start"), start)
        assert "is being applied at this moment" in refused(
            lambda: stage.ask("rita", call("cancel"), number, "")
        )
        assert "cannot be made superseded" in refused(stage.request)
    # The session is gone: whoever comes next may resume, or give it up.
    with stage.applying() as ron:
        ron.execute(call("start"), start)
    stage.ask("rita", call("cancel"), number, "given up")
    assert stage.state(number) == "canceled"


#: What the owner of the database, who runs migrations, tries on the state machine.
_TRICKS = (
    "DROP SCHEMA {P} CASCADE",
    "ALTER SCHEMA {P} RENAME TO aside",
    "CREATE TABLE {P}.mine ()",
    "CREATE OR REPLACE FUNCTION {P}.holds(who oid, word text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "GRANT {approver} TO {ron}",
    "SET ROLE {owner}",
    "ALTER ROLE {approver} LOGIN",
    "ALTER TABLE {P}.promotion OWNER TO {ron}",
    "SET session_replication_role = replica",
    "REASSIGN OWNED BY {owner} TO {ron}",
    "DROP OWNED BY {owner}",
    "SELECT {P}.note('x', 1, '{{}}')",
    "CREATE TRIGGER mine BEFORE INSERT ON {P}.audit EXECUTE FUNCTION {P}.refuse()",
    "CREATE RULE mine AS ON INSERT TO {P}.audit DO INSTEAD NOTHING",
    "CREATE POLICY mine ON {P}.audit USING (true)",
    "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION {P}.refuse()",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON TABLES TO {ron}",
)


def test_who_owns_the_database_has_no_way_around(stage: Stage) -> None:
    names = {
        "P": P,
        "ron": stage.who("ron"),
        "owner": stage.group("owner"),
        "approver": stage.group("approver"),
    }
    for trick in _TRICKS:
        sql = trick.format(**names)
        assert refused(lambda sql=sql: stage.ask("ron", sql)).startswith("42501"), sql


def test_nothing_of_the_session_stands_in_for_the_catalogs(stage: Stage) -> None:
    """Temporary tables, functions and operators under the names that the state machine uses."""
    number, plan = stage.request()
    with stage.applying() as ron:
        ron.execute("CREATE FUNCTION public.less(int, int) RETURNS bool LANGUAGE sql AS 'SELECT false'")
        ron.execute("CREATE OPERATOR public.< (LEFTARG = int, RIGHTARG = int, FUNCTION = public.less)")
        ron.execute("CREATE TEMP TABLE pg_auth_members (roleid oid, member oid)")
        ron.execute("CREATE TEMP TABLE pg_roles (oid oid, rolname name)")
        ron.execute("SET search_path = pg_temp, public, pg_catalog")
        said = refused(lambda: ron.execute(call("start"), [number, plan, stage.gates()]))
    assert "cannot be made applying by start" in said


def test_an_approval_that_was_rolled_back_is_none(stage: Stage) -> None:
    number, plan = stage.request()
    with psycopg.connect(stage.as_("dora")) as connection:
        connection.execute(call("approve").encode(), [number, plan])
        connection.rollback()
    assert stage.state(number) == "requested"
    assert trail(stage).problems == ()


def test_two_approvers_race_with_apply_and_the_account_is_whole(stage: Stage) -> None:
    number, plan = stage.request()
    ends: list[str] = []

    def at_once(act: Callable[[], object]) -> None:
        try:
            act()
            ends.append("ok")
        except psycopg.Error as error:
            ends.append(refusal(error))

    def apply() -> None:
        with stage.applying() as ron:
            ron.execute(call("start"), [number, plan, stage.gates()])

    acts = [lambda: stage.approve("dora", number, plan), lambda: stage.approve("dan", number, plan),
            apply, lambda: stage.ask("rita", call("cancel"), number, "no")]  # fmt: skip
    threads = [threading.Thread(target=at_once, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 4
    found = trail(stage)
    assert found.problems == ()
    actions = [entry["action"] for entry in found.entries]
    if "start" in actions:
        assert actions.index("approve") < actions.index("start")
        assert "approval" in actions[: actions.index("start")]
    assert actions.count("start") <= 1


def test_names_hold_no_sql(stage: Stage) -> None:
    evil = "x'); DELETE FROM pgrehearse_promotion.audit; --"
    items = [{**ITEMS[0], "version": evil}]
    assert refused(lambda: stage.request(items)).startswith("23514")
    items = [{**ITEMS[0], "name": evil}]
    number = stage.ask("rita", call("request"), Jsonb(items), [evil], evil)[0][0]
    assert stage.approve("dora", number) == "approved"
    assert trail(stage).problems == ()
    assert stage.ask("vic", f"SELECT name FROM {P}.item WHERE promotion = %s", number) == [(evil,)]


def test_times_are_the_server_s(stage: Stage) -> None:
    sql = f"SET TimeZone = 'Pacific/Kiritimati'; SET DateStyle = 'German'; {call('request')}"
    with psycopg.connect(stage.as_("rita"), autocommit=True) as connection:
        connection.execute("SET TimeZone = 'Pacific/Kiritimati'")
        connection.execute("SET DateStyle = 'German'")
        connection.execute(call("request").encode(), [Jsonb(ITEMS), ["shop"], ""])
    assert "request" in sql
    row = stage.ask("vic", f"SELECT abs(extract(epoch FROM requested_at - now())) < 60 FROM {P}.promotion")
    assert row == [(True,)]
    last = trail(stage).entries[-1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", last["at"])


# --- the audit trail ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE {P}.audit SET entry = replace(entry, 'dora', 'erna') WHERE seq = 3",
        "DELETE FROM {P}.audit WHERE seq = 2",
        "DELETE FROM {P}.audit WHERE seq = (SELECT max(seq) FROM {P}.audit)",
        "UPDATE {P}.promotion SET state = 'applied'",
        "DELETE FROM {P}.approval",
        "INSERT INTO {P}.step VALUES (1, 1, 1, 'done', 'x', now(), now(), '{{}}')",
        "DELETE FROM {P}.step; DELETE FROM {P}.approval; DELETE FROM {P}.item; DELETE FROM {P}.target;"
        "DELETE FROM {P}.promotion",
    ],
)
def test_what_a_superuser_edits_shows(stage: Stage, edit: str) -> None:
    approved(stage)
    assert trail(stage).problems == ()
    sql = edit.format(P=P)
    assert refused(lambda: execute(stage.dsn, "SET session_replication_role = replica; " + sql)).startswith(
        ("42501", "55000")
    )
    tables = ("audit", "promotion", "approval", "step", "item", "target")
    for table in tables:
        execute(stage.dsn, f"ALTER TABLE {P}.{table} DISABLE TRIGGER ALL")
    execute(stage.dsn, sql)
    assert trail(stage).problems != ()


def test_the_table_of_transitions_is_what_the_reference_reads(stage: Stage) -> None:
    from pgrehearse.promotion.transitions import transitions

    rows = stage.ask("vic", f"SELECT action, from_state, to_state, roles, demands FROM {P}.transition")
    assert sorted(rows) == sorted(
        (t.action, t.before, t.after, list(t.roles), t.demands) for t in transitions()
    )


def test_a_dashboard_may_read_status_and_nothing_else(stage: Stage) -> None:
    """Promotions and what sessions do; no step of a promotion, and no row of anybody's table."""
    number, plan = stage.request()
    execute(stage.dsn, f"GRANT {stage.group('dashboard')} TO {stage.who('nora')}")
    execute(stage.dsn, "CREATE TABLE shop (id int)")
    assert stage.ask("nora", "SELECT state FROM pgrehearse_promotion.promotion") == [("requested",)]
    assert stage.ask("nora", "SELECT * FROM pgrehearse_promotion.approvals(%s)", number) == []
    refused = {
        "a step": (call("approve"), number, plan),
        "a request": (call("request"), psycopg.types.json.Jsonb([]), ["shop"], ""),
        "a change": ("UPDATE pgrehearse_promotion.promotion SET state = 'applied'",),
        "a row": ("SELECT * FROM shop",),
        "a table": ("CREATE TABLE mine (id int)",),
    }
    for what, (sql, *values) in refused.items():
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stage.ask("nora", sql, *values)
        assert stage.state(number) == "requested", what


def test_a_dashboard_sees_sessions_where_the_installer_may_grant_so(stage: Stage) -> None:
    question = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')"
    execute(stage.dsn, f"GRANT {stage.group('dashboard')} TO {stage.who('nora')}")
    old = stage.server.major < 16  # CREATEROLE was enough to grant it
    assert stage.ask("nora", question) == [(old,)]
    install(stage.dsn, stage.environment, 0)  # as the superuser
    assert stage.ask("nora", question) == [(True,)]
    assert stage.ask("vic", question) == [(False,)]
