"""What somebody with a role of promotions tries beyond it, and how PostgreSQL refuses.

For a test and the reference page. Texts only: the test puts names in, and runs each as every role on a
promotion that waits for its runner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["ATTACKS", "ROLES", "Attack"]

ROLES = ("requester", "runner", "viewer", "dashboard")
_RIGHT, _MOMENT, _CHECK, _NEVER = "42501", "55000", "23514", "0A000"


def _by(*roles: str, state: str = _RIGHT) -> Mapping[str, str]:
    return dict.fromkeys(roles or ROLES, state)


def _but(**states: str) -> Mapping[str, str]:
    return {**_by(), **states}


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        what: it is tried, in words that end "he tries to ...".
        sql: statements of one transaction, of which the last is refused.
        by: role -> SQLSTATE. A role that is left out may do that, or cannot come so far by another attack.
        given: a superuser does so before, and ``after`` undoes that.
        before: committed by whoever attacks, in a session before.
        amid: a superuser does so between the last statement and those before.
        since: the first major that knows what is tried.
    """

    what: str
    sql: Sequence[str]
    by: Mapping[str, str]
    given: str = ""
    before: str = ""
    amid: str = ""
    after: str = ""
    since: int = 0


_LOCK = "SELECT pg_advisory_lock(1885827685, 1886547821)"
_START = "SELECT {P}.start({number}, '{plan}', '{gates}')"
_APPROVE = "SELECT {P}.approve({number}, '{plan}')"
#: Whoever granted it: since 16 a membership is each grantor's own.
_LOSES = """DO $$ DECLARE who name; BEGIN
    FOR who IN SELECT pg_get_userbyid(grantor) FROM pg_auth_members
                WHERE roleid = '{approver}'::regrole AND member = '{dora}'::regrole LOOP
        EXECUTE format('REVOKE {approver} FROM {dora} GRANTED BY %I', who);
    END LOOP;
END $$"""
#: What of one's own may stand in the place of what the state machine uses.
_SHADOWS = (
    "CREATE TEMP TABLE pg_roles (oid oid, rolname name)",
    "CREATE TEMP TABLE pg_auth_members (roleid oid, member oid)",
    "CREATE FUNCTION pg_temp.holds(oid, text) RETURNS bool LANGUAGE sql AS 'SELECT true'",
    "CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
    " AS 'SELECT timestamptz ''2001-01-01'''",
    "CREATE FUNCTION pg_temp.alike(oid, oid) RETURNS bool LANGUAGE sql AS 'SELECT true'",
    "CREATE OPERATOR pg_temp.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = pg_temp.alike)",
    "SET search_path = pg_temp, public, pg_catalog",
)

#: What nobody may, by one statement.
_ALIKE: Mapping[str, str] = {
    "become the owner of it all": "SET ROLE {owner}",
    "become an approver in this transaction": "SET LOCAL ROLE {approver}",
    "become an approver by a setting": "SELECT set_config('role', '{approver}', true)",
    "call himself somebody else": "SET SESSION AUTHORIZATION {dora}",
    "grant himself the role of an approver": "GRANT {approver} TO {me}",
    "make himself a superuser": "ALTER ROLE {me} SUPERUSER",
    "let the owner log in": "ALTER ROLE {owner} LOGIN",
    "edit who is a member of what": "INSERT INTO pg_auth_members SELECT * FROM pg_auth_members",
    "end a session of somebody else": (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{dora}'"
    ),
    "write a state": "UPDATE {P}.promotion SET state = 'applied'",
    "write an approval, of last year": "INSERT INTO {P}.approval VALUES (1, '', 10, '', '2001-01-01')",
    "take a row out of the audit trail": "DELETE FROM {P}.audit",
    "empty the audit trail": "TRUNCATE {P}.audit",
    "empty all, from the promotions on": "TRUNCATE {P}.promotion CASCADE",
    "copy rows into the audit trail": "COPY {P}.audit FROM STDIN",
    "have rows of his own shown among the approvals": "CREATE TEMP TABLE mine () INHERITS ({P}.approval)",
    "hold rows in place by a foreign key": "CREATE TABLE public.mine (n bigint REFERENCES {P}.promotion)",
    "hold up everybody by a lock of the audit trail": "LOCK TABLE {P}.audit IN SHARE ROW EXCLUSIVE MODE",
    "hold up everybody by a lock of a row": "SELECT FROM {P}.promotion FOR UPDATE",
    "count promotions from the beginning": "SELECT setval('{P}.promotion_id_seq', 1)",
    "turn the triggers off": "ALTER TABLE {P}.audit DISABLE TRIGGER ALL",
    "turn the triggers off as a replica does": "SET session_replication_role = replica",
    "turn them off at the next login": "ALTER ROLE {me} SET session_replication_role = replica",
    "turn them off for everybody": "ALTER DATABASE {database} SET session_replication_role = replica",
    "have what is written go elsewhere, by a rule": (
        "CREATE RULE mine AS ON INSERT TO {P}.audit DO INSTEAD NOTHING"
    ),
    "the same, by a trigger": "CREATE TRIGGER mine BEFORE INSERT ON {P}.audit EXECUTE FUNCTION {P}.refuse()",
    "the same, by a policy": "CREATE POLICY mine ON {P}.audit USING (true)",
    "the same, by an event trigger": (
        "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION {P}.refuse()"
    ),
    "replace the function that says who has a role": (
        "CREATE OR REPLACE FUNCTION {P}.holds(oid, text) RETURNS bool RETURN true"
    ),
    "lead that function to other tables": "ALTER FUNCTION {P}.holds(oid, text) SET search_path = public",
    "call what only triggers call": "SELECT {P}.note('approve', {number}, '{{}}')",
    "drop it all": "DROP SCHEMA {P} CASCADE",
    "drop all that the owner owns": "DROP OWNED BY {owner}",
    "take over what the owner owns": "REASSIGN OWNED BY {owner} TO {me}",
    "be given what is made there later": (
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON TABLES TO {me}"
    ),
    "send what is recorded elsewhere": "CREATE PUBLICATION mine FOR TABLE {P}.audit",
    "run a program of the server": "COPY (SELECT 1) TO PROGRAM 'true'",
    "read a file of the server": "SELECT pg_read_file('PG_VERSION')",
    "read a file into a large object": "SELECT lo_import('PG_VERSION')",
    "write a file from a large object": "SELECT lo_export(lo_create(0), 'mine')",
    "have the server read its settings again": "SELECT pg_reload_conf()",
    "write a function in C": "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE internal AS 'int4in'",
}
ATTACKS: Sequence[Attack] = (
    Attack("approve without the role of an approver", [_APPROVE], _by()),
    Attack(
        "approve his own request, being an approver as well",
        [_APPROVE],
        _by("requester"),
        given="GRANT {approver} TO {me}",
        after="REVOKE {approver} FROM {me}",
    ),
    Attack(
        "approve, being somebody who may grant that role and does not have it",
        [_APPROVE],
        _by(),
        given="GRANT {approver} TO {me} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
        after="REVOKE {approver} FROM {me}",
        since=16,
    ),
    Attack(
        "start the plan that is now by the approval of the one before",
        [_LOCK, "SELECT {P}.start({number}, '{earlier}', '{gates}')"],
        _but(runner=_MOMENT),
    ),
    Attack(
        "start a plan that was superseded",
        [_LOCK, "SELECT {P}.start({number} - 1, '{earlier}', '{gates}')"],
        _but(runner=_MOMENT),
    ),
    Attack(
        "start with a migration that was edited after the approval",
        [_LOCK, "SELECT {P}.start({number}, '{edited}', '{gates}')"],
        _but(runner=_MOMENT),
    ),
    Attack(
        "start after the approver lost that role",
        [_LOCK, _START],
        _but(runner=_MOMENT),
        given=_LOSES,
        after="GRANT {approver} TO {dora}",
    ),
    Attack(
        "start in a transaction that sees the roles as they were before the approver lost it",
        ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", _LOCK, _START],
        _but(runner=_MOMENT),
        amid=_LOSES,
        after="GRANT {approver} TO {dora}",
    ),
    Attack(
        "start with a gate that is red",
        [_LOCK, "SELECT {P}.start({number}, '{plan}', '{red}')"],
        _but(runner=_MOMENT),
    ),
    Attack("start with no gate", [_LOCK, "SELECT {P}.start({number}, '{plan}', '[]')"], _but(runner=_MOMENT)),
    Attack(
        "start without the lock of apply, under the name of apply",
        ["SET application_name = 'pgrehearse promote apply'", _START],
        _but(runner=_MOMENT),
    ),
    Attack(
        "start, and leave the end of that to a prepared transaction",
        [_LOCK, _START, "PREPARE TRANSACTION '{me}'"],
        _by("runner", state=_NEVER),
    ),
    Attack(
        "cancel, and leave the end of that to a prepared transaction",
        ["SELECT {P}.cancel({number}, 'no')", "PREPARE TRANSACTION '{me}'"],
        _by("requester", state=_NEVER),
    ),
    Attack(
        "cancel what was approved",
        ["SELECT {P}.cancel({number}, 'no')"],
        _by("runner", "viewer", "dashboard"),
    ),
    Attack("finish what was not begun", [_LOCK, "SELECT {P}.finish({number})"], _but(runner=_MOMENT)),
    Attack(
        "request with SQL in the version of a migration",
        ["SELECT {P}.request('{evil}', '{{shop}}', '')"],
        _but(requester=_CHECK),
    ),
    Attack(
        "become an approver at the next login",
        [_APPROVE],
        _by(),
        before="ALTER ROLE {me} SET role = {approver}",
        after="ALTER ROLE {me} RESET role",
    ),
    Attack(
        "start by a function of the runner, which has his rights",
        ["SELECT public.borrowed()"],
        _by("requester", "viewer", "dashboard"),
        given="CREATE FUNCTION public.borrowed() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$"
        + _START
        + " $$; ALTER FUNCTION public.borrowed() OWNER TO {ron}",
        after="DROP FUNCTION public.borrowed()",
    ),
    Attack(
        "approve past tables, functions, operators and a clock of his own under the names used there",
        [*_SHADOWS, _APPROVE],
        _by(),
    ),
    Attack(
        "record a step that was not begun",
        ["SELECT {P}.step({number}, 1, 1, 'done', '{{}}')"],
        _but(runner=_MOMENT),
    ),
    Attack(
        "write a row into the ledger of the database",
        ["INSERT INTO public.schema_migrations VALUES ('1')"],
        _by("requester", "viewer", "dashboard"),
        given="CREATE TABLE public.schema_migrations (version text); ALTER TABLE "
        "public.schema_migrations OWNER TO {ron}",
        after="DROP TABLE public.schema_migrations",
    ),
    *(Attack(what, [sql], _by()) for what, sql in _ALIKE.items()),
)
