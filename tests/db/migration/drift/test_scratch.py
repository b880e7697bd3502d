"""What migrations take for granted, on the scratch server that a check makes."""

from __future__ import annotations

import pytest

from pgrehearse.errors import DocumentError

from .bench import Bench, parts


def test_migrations_of_a_role_that_is_no_superuser(bench: Bench) -> None:
    bench.sql(f"ALTER DATABASE {bench.name} OWNER TO migrator")
    assert bench.run("up", user="migrator")[0] == 0
    assert parts(bench, "--only", "live")["drift"] is False
    bench.sql("ALTER TABLE wish OWNER TO stranger")
    drift = parts(bench, "--only", "live")["live"]
    assert [one["sql"] for one in drift["only_left"]] == ["ALTER TABLE public.wish OWNER TO stranger"]


def test_roles_are_plain_until_declared(applied: Bench) -> None:
    applied.sql("ALTER ROLE teller BYPASSRLS", f"ALTER DATABASE {applied.name} SET work_mem = '7MB'")
    drift = parts(applied, "--only", "live")["live"]
    assert {one["sql"] for one in drift["only_left"]} == {
        "ALTER ROLE teller BYPASSRLS",
        "ALTER DATABASE :\"DBNAME\" SET work_mem TO '7MB'",
    }
    applied.run("check", "--write-roles")
    assert parts(applied, "--only", "live")["drift"] is False
    applied.sql("ALTER ROLE teller NOBYPASSRLS", f"ALTER DATABASE {applied.name} RESET work_mem")
    assert len(parts(applied, "--only", "live")["live"]["only_right"]) == 2


def test_a_migration_that_fails_on_the_scratch_server_is_named_with_its_line(applied: Bench) -> None:
    applied.sql("DROP TABLE wish", "CREATE TABLE wish (id int)")
    broken = "-- migrate:up\nCREATE TABLE a (x int);\n\nALTER TABLE nowhere ADD y int;\n-- migrate:down\n"
    applied.write("migrations/1_create_wish.sql", broken)
    with pytest.raises(DocumentError, match="nowhere") as caught:
        applied.run("check", "--only", "live")
    assert caught.value.location.endswith("1_create_wish.sql:4")


def test_a_migration_that_becomes_another_role(bench: Bench) -> None:
    """What is lent to the runner on the scratch server is taken back; the live membership is undeclared."""
    bench.sql(f"ALTER DATABASE {bench.name} OWNER TO migrator", "GRANT teller TO migrator")
    bench.sql("GRANT CREATE, USAGE ON SCHEMA public TO teller")
    third = "-- migrate:up\nSET ROLE teller;\nCREATE TABLE told (a int);\n-- migrate:down\n"
    bench.write("migrations/3_told.sql", third)
    bench.run("check", "--write-roles")
    roles = bench.folder / "db" / "roles.sql"
    declared = roles.read_text("utf-8")
    assert "GRANT teller TO migrator" in declared
    roles.write_text(declared + "GRANT CREATE, USAGE ON SCHEMA public TO teller;\n", "utf-8")
    assert bench.run("up", user="migrator")[0] == 0
    assert parts(bench, "--only", "live")["drift"] is False
    text = roles.read_text("utf-8")
    roles.write_text(
        "".join(line for line in text.splitlines(True) if "teller TO migrator" not in line), "utf-8"
    )
    drift = parts(bench, "--only", "live")["live"]
    assert [one["sql"].partition(" WITH")[0] for one in drift["only_left"]] == ["GRANT teller TO migrator"]
    assert drift["only_right"] == []
    bench.sql("DROP OWNED BY teller")


#: PostgreSQL reads each of these back from a dump otherwise than it wrote it.
