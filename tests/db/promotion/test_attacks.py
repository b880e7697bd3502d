"""Whoever wants more than his role allows is refused by PostgreSQL itself, or it shows."""

from __future__ import annotations

import json

import psycopg
import pytest
from psycopg.types.json import Jsonb

from support.attacks import ATTACKS, ROLES, Attack
from support.databases import execute, name_of
from support.promotions import ITEMS, Stage, approved, call, refused, trail

P = "pgrehearse_promotion"


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


def test_names_hold_no_sql(stage: Stage) -> None:
    evil = "x'); DELETE FROM pgrehearse_promotion.audit; --"
    items = [{**ITEMS[0], "version": evil}]
    assert refused(lambda: stage.request(items)).startswith("23514")
    items = [{**ITEMS[0], "name": evil}]
    number = stage.ask("rita", call("request"), Jsonb(items), [evil], evil)[0][0]
    assert stage.approve("dora", number) == "approved"
    assert trail(stage).problems == ()
    assert stage.ask("vic", f"SELECT name FROM {P}.item WHERE promotion = %s", number) == [(evil,)]


# --- the list on the reference page -------------------------------------------------------------------------

_PERSON = {"requester": "rita", "runner": "ron", "viewer": "vic", "dashboard": "nora"}


@pytest.mark.parametrize("role", ROLES)
def test_what_is_tried_beyond_a_role_is_refused_by_postgresql(stage: Stage, role: str) -> None:
    execute(stage.dsn, f"GRANT {stage.group('dashboard')} TO {stage.who('nora')}")
    earlier = approved(stage)[1]
    items = [{**ITEMS[0], "sha256": "c" * 64}]
    number, plan = stage.request(items)
    assert stage.approve("dora", number) == "approved"
    names = {
        "P": P,
        "database": name_of(stage.dsn),
        "me": stage.who(_PERSON[role]),
        **{person: stage.who(person) for person in ("ron", "dora")},
        **{word: stage.group(word) for word in ("owner", "approver")},
        **{"number": number, "plan": plan, "earlier": earlier, "edited": "e" * 64},
        "gates": json.dumps(stage.gates().obj),
        "red": json.dumps(stage.gates(approvals=False).obj),
        "evil": json.dumps([{**ITEMS[0], "version": "x''); DELETE FROM pgrehearse_promotion.audit; --"}]),
    }
    before = _all(stage)
    tried = [one for one in ATTACKS if role in one.by and one.since <= stage.server.major]
    with psycopg.connect(stage.as_("dora")):  # somebody whose session can be ended
        wrong = {}
        for attack in tried:
            found = _refused(stage, _PERSON[role], attack, names)
            if found != attack.by[role]:
                wrong[attack.what] = found
    assert wrong == {}
    assert _all(stage) == before
    assert trail(stage).problems == ()
    with stage.applying() as ron:  # what was refused above was not refused for another reason
        ron.execute(call("start"), [number, plan, stage.gates()])
        assert stage.state(number) == "applying"


def _refused(stage: Stage, person: str, attack: Attack, names: dict[str, object]) -> str:
    """The SQLSTATE with which the last statement of ``attack`` is refused, or what happened instead."""
    first = "log in"
    try:
        if attack.given:
            execute(stage.dsn, attack.given.format(**names))
        if attack.before:
            stage.ask(person, attack.before.format(**names))
        with psycopg.connect(stage.as_(person)) as connection:
            for number, text in enumerate(attack.sql, 1):
                first = text.format(**names)
                if number == len(attack.sql):
                    first = ""
                    if attack.amid:
                        execute(stage.dsn, attack.amid.format(**names))
                connection.execute(text.format(**names).encode())
            connection.rollback()
            return "not refused"
    except psycopg.Error as error:
        return f"{first}: {error}" if first else str(error.sqlstate)
    finally:
        for (left,) in execute(
            stage.dsn, "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"
        ):
            execute(stage.dsn, f"ROLLBACK PREPARED '{left}'")
        if attack.after:
            execute(stage.dsn, attack.after.format(**names))


def _all(stage: Stage) -> list[object]:
    """All that is recorded."""
    tables = ("promotion", "approval", "item", "target", "step", "visit", "rollout", "audit", "setting")
    return [execute(stage.dsn, f"SELECT t FROM {P}.{table} AS t ORDER BY 1") for table in tables]


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


def test_a_dashboard_may_read_status_and_nothing_else(stage: Stage) -> None:
    """Promotions and what sessions do; no step of a promotion, and no row of anybody's table."""
    number, plan = stage.request()
    execute(stage.dsn, f"GRANT {stage.group('dashboard')} TO {stage.who('nora')}")
    execute(stage.dsn, "CREATE TABLE shop (id int)")
    assert stage.ask("nora", "SELECT state FROM pgrehearse_promotion.promotion") == [("requested",)]
    assert stage.ask("nora", "SELECT * FROM pgrehearse_promotion.approvals(%s)", number) == []
    beyond = {
        "a step": (call("approve"), number, plan),
        "a request": (call("request"), Jsonb([]), ["shop"], ""),
        "a change": ("UPDATE pgrehearse_promotion.promotion SET state = 'applied'",),
        "a row": ("SELECT * FROM shop",),
        "a table": ("CREATE TABLE mine (id int)",),
    }
    for what, (sql, *values) in beyond.items():
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stage.ask("nora", sql, *values)
        assert stage.state(number) == "requested", what
