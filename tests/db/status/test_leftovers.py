"""What is left over, found where it is the only thing and among others; runs of runbooks that did not end."""

from __future__ import annotations

import psycopg
import pytest

from pgrehearse.execution.own_tables import create
from support.databases import Owned, execute
from support.snapshots import Seen


def test_leftovers(seen: Seen, owned: Owned) -> None:
    execute(
        owned.admin,
        """
        CREATE TABLE shop (id int, price int, price_new bigint);
        INSERT INTO shop VALUES (1), (1);
        ALTER TABLE shop ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
        CREATE FUNCTION shop_price_sync() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER zz_price_sync BEFORE INSERT ON shop FOR EACH ROW EXECUTE FUNCTION shop_price_sync();
        CREATE TRIGGER audited BEFORE INSERT ON shop FOR EACH ROW EXECUTE FUNCTION shop_price_sync();
        ALTER TABLE shop DISABLE TRIGGER audited;
        """,
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        execute(owned.admin, "CREATE UNIQUE INDEX CONCURRENTLY one_id ON shop (id)")
    assert seen.said("leftovers") == [
        "trigger audited on public.shop is disabled",
        "index one_id on public.shop is INVALID: no query uses it",
        "constraint positive on public.shop is NOT VALID: rows that were there before may break it",
        "column public.shop.price_new is there for the time of a change",
        "trigger zz_price_sync on public.shop still keeps columns in step",
    ]


_TRIGGER = """
CREATE FUNCTION "a b".f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON "a b"."T" FOR EACH ROW EXECUTE FUNCTION "a b".f();
ALTER TABLE "a b"."T" {} TRIGGER t
"""


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ('ALTER TABLE "a b"."T" ADD CONSTRAINT c CHECK (id > 0) NOT VALID', "constraint c "),
        ('ALTER DOMAIN "a b".d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID', "constraint c "),
        ('ALTER TABLE "a b"."T" ADD FOREIGN KEY (id) REFERENCES "a b"."T" NOT VALID', "constraint "),
        (_TRIGGER.format("DISABLE"), "trigger t on "),
        (_TRIGGER.format("ENABLE REPLICA"), "trigger t on "),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"a b\".i'::regclass", "index i on "),
        (_TRIGGER.replace("TRIGGER t", "TRIGGER zz_id_sync").replace("f()", "x_sync()").format("ENABLE"),
         "trigger zz_id_sync on "),
    ],
)  # fmt: skip
def test_each_leftover_is_found_where_it_is_the_only_one(
    seen: Seen, owned: Owned, made: str, said: str
) -> None:
    execute(
        owned.admin,
        'CREATE SCHEMA "a b"; CREATE DOMAIN "a b".d AS int; CREATE TABLE "a b"."T" (id int PRIMARY KEY);'
        ' CREATE INDEX i ON "a b"."T" (id)',
    )
    assert seen.said("leftovers") == []
    execute(owned.admin, made)
    (one,) = seen.said("leftovers")
    assert one.startswith(said)
    assert '"a b".' in one


def test_what_is_not_enforced_is_left_over(seen: Seen, owned: Owned) -> None:
    """Since 18; the plain question first asks for NOT VALID only, which it is as well."""
    if owned.server.major < 18:
        pytest.skip("PostgreSQL 18 and later")
    execute(owned.admin, "CREATE TABLE shop (id int, CONSTRAINT c CHECK (id > 0) NOT ENFORCED)")
    assert seen.said("leftovers") == ["constraint c on public.shop is NOT ENFORCED"]


def test_runs_of_runbooks(seen: Seen, owned: Owned) -> None:
    with psycopg.connect(owned.admin, autocommit=True) as connection:
        create(connection, "runs")
    run = (
        "INSERT INTO pgrehearse.run (runbook, work, given, parameters, phases, environment, place, outcome)"
        " VALUES ('{}', '', '{}', '{{}}', '{}', 'staging', '', '{}')"
    )
    everything = "{Preflight,Apply,Verify}"
    for book, given, phases, outcome in [
        ("a.md", "x", everything, "stopped"),
        ("b.md", "x", everything, "stopped"),
        ("b.md", "x", everything, "done"),
        ("c.md", "x", "{Apply}", "done"),
        ("c.md", "y", everything, "done"),
        ("d.md", "x", everything, "running"),
    ]:
        execute(owned.admin, run.format(book, given, phases, outcome))
    said = seen.said("leftovers")
    assert [(one.split()[3], one.split(" on ")[1].split(" ", 2)[2]) for one in said] == [
        ("d.md", "says that it is running, and nobody is"),
        ("c.md", "was applied and not verified"),
        ("a.md", "stopped before its end"),
    ]
