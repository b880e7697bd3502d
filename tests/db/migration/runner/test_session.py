"""What a migration does to its session, and names and texts that want to be something else."""

from __future__ import annotations

import psycopg
import pytest

from pgrehearse.errors import DocumentError, ExpectationError, SetupError
from pgrehearse.text import migration_files
from support.places import Place

TABLE = "CREATE TABLE thing (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);"
ROWS = "INSERT INTO thing SELECT generate_series(1, 500);"


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_the_ledger_is_written_whatever_role_and_path_a_migration_takes(place: Place, side: str) -> None:
    place.write(
        1,
        f"{side}CREATE ROLE {place.one('SELECT current_database()')}_app;\n"
        f"GRANT CREATE ON SCHEMA public TO {place.one('SELECT current_database()')}_app;\n"
        f"SET ROLE {place.one('SELECT current_database()')}_app;\n"
        "SET search_path = '';\nCREATE TABLE public.owned ();\nCREATE TABLE public.owned_too ();",
    )
    place.write(2, "CREATE TABLE ours ();")
    role = f"{place.one('SELECT current_database()')}_app"
    try:
        place.up()
        owners = dict(
            place.execute(
                "SELECT relname, relowner::regrole::text FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'public'::regnamespace"
            )
        )
        assert owners["owned"] == owners["owned_too"] == role
        assert owners["ours"] == "postgres"
    finally:
        place.execute(f"DROP OWNED BY {role}; DROP ROLE {role};")


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_session_authorization_comes_back_for_the_next_statement(place: Place, side: str) -> None:
    role = f"{place.one('SELECT current_database()')}_app"
    place.execute(f"CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role};")
    try:
        place.write(1, f"{side}SET SESSION AUTHORIZATION {role};\nCREATE TABLE a ();\nCREATE TABLE b ();")
        place.up()
        assert place.one("SELECT count(*) FROM pg_class WHERE relowner::regrole::text ~ '_app'") == 2
        assert {attempt.who for attempt in place.attempts()} == {"postgres"}
    finally:
        place.execute(f"DROP OWNED BY {role}; DROP ROLE {role};")


LASTING = """CREATE SCHEMA tenant; CREATE TABLE tenant.thing (id int); CREATE TABLE public.thing (id int);
CREATE FUNCTION public.enter() RETURNS void LANGUAGE sql
 AS $$SELECT set_config('search_path', 'tenant', false)$$;
CREATE PROCEDURE public.enter_and_commit() LANGUAGE plpgsql
 AS $$BEGIN COMMIT; PERFORM public.enter(); END$$;"""


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ("SELECT public.enter();", "setting search_path"),
        ("DO $$BEGIN PERFORM set_config('search_path', 'tenant', false); END$$;", "setting search_path"),
        ("CALL public.enter_and_commit();", "setting search_path"),
        ("SELECT public.enter(), set_config('work_mem', '5MB', false);", "setting work_mem"),
        ("DO $$BEGIN EXECUTE 'CREATE TEMP TABLE kept AS SELECT 1 AS n'; END$$;", "rows of kept"),
        ("DO $$BEGIN EXECUTE 'PREPARE kept AS SELECT 1'; END$$;", "prepared statement kept"),
    ],
)
def test_what_a_statement_leaves_to_the_session_unseen_stops_the_run(
    place: Place, statement: str, left: str
) -> None:
    place.execute(LASTING)
    up = f"transaction:false\n{statement}\nINSERT INTO thing VALUES (1);"
    place.write(1, up)
    assert left in str(place.refused(ExpectationError))
    refused = str(place.refused(ExpectationError))
    assert "the file is as it was" in refused
    assert left in refused
    assert place.one("SELECT (SELECT count(*) FROM thing) + (SELECT count(*) FROM tenant.thing)") == 0
    place.write(1, up.replace("INSERT", "SET search_path = tenant;\nINSERT"))
    place.up()
    assert place.one("SELECT count(*) FROM tenant.thing") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT public.enter();",  # nothing follows
        "DO $$BEGIN SET LOCAL search_path = tenant; END$$;\nINSERT INTO thing VALUES (1);",
        "SELECT set_config('search_path', 'tenant', true);\nINSERT INTO thing VALUES (1);",
        "SELECT set_config('search_path', 'tenant,' || current_setting('search_path'), false);\nSELECT 1;",
    ],
)
def test_what_ends_with_the_statement_or_is_said_in_the_file_stops_nothing(
    place: Place, statement: str
) -> None:
    place.execute(LASTING)
    place.write(1, f"transaction:false\n{statement}")
    place.up()
    assert place.applied() == ["1"]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT set_config('my.tenant', public.made('acme')::text, false);",
        "SELECT set_config('my.tenant', n::text, false) FROM public.made('acme') AS n;",
        "SELECT set_config('search_path', (SELECT name FROM tenants WHERE n = 1), false);",
        "SELECT pg_advisory_lock(public.made('acme'));",
        "DECLARE them CURSOR WITH HOLD FOR SELECT public.made('acme');",
    ],
)
def test_a_session_made_of_what_may_differ_is_refused(place: Place, statement: str) -> None:
    place.execute(
        "CREATE TABLE tenants (n int GENERATED ALWAYS AS IDENTITY, name text);"
        " CREATE FUNCTION made(text) RETURNS int LANGUAGE sql"
        " AS 'INSERT INTO tenants (name) VALUES ($1) RETURNING n'"
    )
    place.write(1, f"transaction:false\n{statement}\nSELECT 1 / 0;")
    assert "this makes the session of what may be different" in str(place.refused(ExpectationError))
    assert place.one("SELECT count(*) FROM tenants") == 0


def test_settings_of_one_migration_do_not_reach_the_next(place: Place) -> None:
    place.write(1, "transaction:false\nSET work_mem = '77MB';\nSET lock_timeout = '3s';")
    place.write(2, "CREATE TABLE seen AS SELECT current_setting('work_mem') AS w;")
    place.up()
    assert place.one("SELECT w FROM seen") != "77MB"


def test_a_role_without_the_right_to_keep_a_ledger_is_told_what_it_lacks(place: Place) -> None:
    role = f"{place.one('SELECT current_database()')}_poor"
    place.execute(f"CREATE ROLE {role} LOGIN;")
    place.write(1, TABLE)
    try:
        poor = psycopg.conninfo.make_conninfo(place.dsn, user=role)
        with pytest.raises(SetupError) as error:
            Place(poor, place.root).up()
        assert f'the role "{role}" cannot keep the ledger: permission denied' in error.value.message
        database = place.one("SELECT current_database()")
        assert f'GRANT CREATE ON DATABASE "{database}" TO "{role}"' in str(error.value.next_step)
        place.execute(
            f"GRANT CREATE ON DATABASE {database} TO {role}; GRANT CREATE ON SCHEMA public TO {role};"
        )
        Place(poor, place.root).up()
        assert place.applied() == ["1"]
    finally:
        place.execute(f"DROP OWNED BY {role}; DROP ROLE {role};")


# Names and texts that want to be something else.


def test_hostile_names_are_names(place: Place) -> None:
    nasty = 'ta"ble; DROP TABLE pgrehearse.attempt; --'
    quoted = psycopg.sql.Identifier(nasty).as_string()
    index = psycopg.sql.Identifier("i'x; %s {} \\").as_string()
    place.write(1, f"CREATE TABLE {quoted} (a int);")
    place.write(2, f"transaction:false\nCREATE INDEX CONCURRENTLY {index} ON {quoted} (a);")
    place.write(
        3, f"INSERT INTO {quoted} VALUES (1); ALTER TABLE {quoted} ALTER a TYPE bigint; SELECT '%s %%';"
    )
    place.up()
    assert place.attempts()[-1].statements[1].rewritten == (quoted,)
    assert place.invalid() == []


@pytest.mark.parametrize("name", ["1_a b.sql", "1_x;rm.sql", "x_1.sql", "1.sql"])
def test_hostile_file_names_are_refused(place: Place, name: str) -> None:
    (place.root / "db" / "migrations" / name).write_text("-- migrate:up\nSELECT 1;\n", "utf-8")
    with pytest.raises(DocumentError, match="a migration's name is digits"):
        migration_files.load(place.root / "db" / "migrations")


def test_passwords_reach_neither_ledger_nor_message(place: Place) -> None:
    role = f"{place.one('SELECT current_database()')}_secret"
    place.write(
        1,
        f"CREATE ROLE {role} PASSWORD 'hunter22';\n"
        f"DO $$ BEGIN EXECUTE 'ALTER ROLE {role} PASSWORD ''hunter22'''; END $$;\n"
        "SELECT 'postgresql://me:hunter22@nowhere/x';",
    )
    place.write(2, f"ALTER ROLE {role} PASSWORD 'hunter22' 'hunter22';")
    try:
        error = place.refused(ExpectationError)
        ledger = str(place.execute("SELECT * FROM pgrehearse.statement, pgrehearse.attempt"))
        assert "hunter22" not in ledger + str(error) and "***" in ledger
        assert place.one(f"SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = '{role}'")
    finally:
        place.execute(f"DROP ROLE {role};")


@pytest.mark.parametrize("words", [["up"], ["rollback"], ["status"], ["timing"]])
def test_no_error_about_a_connection_holds_its_password(place: Place, words: list[str]) -> None:
    place.write(1, TABLE)
    for dsn in ("postgresql://me:hunter22@127.0.0.1:1/x", "postgresql://me:hunter22@x@127.0.0.1:1/x"):
        status, out, err = Place(dsn, place.root, processes=place.processes).command(*words)
        assert status == SetupError.exit_code
        assert "next:" in err and "hunter22" not in out + err


SETTINGS = (
    "DateStyle = 'German'",
    "IntervalStyle = 'sql_standard'",
    "default_transaction_isolation = 'serializable'",
    "quote_all_identifiers = on",
    "client_min_messages = error",
)


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_settings_of_the_database_are_those_of_its_files_and_not_of_the_ledger(
    place: Place, side: str
) -> None:
    """A literal is read as psql would read it there; what the ledger keeps is read in our own style."""
    name = place.one("SELECT current_database()")
    for setting in SETTINGS:
        place.execute(f'ALTER DATABASE "{name}" SET {setting}')
    place.write(1, f"{side}CREATE TABLE a (d date DEFAULT '1.2.2024');\nINSERT INTO a SELECT '3.2.2024';")
    place.write(2, f"{side}SET DateStyle = 'SQL, MDY';\nINSERT INTO a VALUES ('4/5/2024');")
    place.up()
    place.write(3, f"{side}INSERT INTO a DEFAULT VALUES;")
    place.up()
    assert place.one("SELECT string_agg(to_char(d, 'YYYY-MM-DD'), ' ' ORDER BY d) FROM a") == (
        "2024-02-01 2024-02-03 2024-04-05"
    )
    assert {attempt.outcome for attempt in place.attempts()} == {"done"}
