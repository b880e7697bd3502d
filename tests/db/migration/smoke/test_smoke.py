"""Smoke tests: the example's contract is green, and each thing that can go wrong turns it red by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgrehearse.errors import ExpectationError
from pgrehearse.migration.smoke.contract import load
from pgrehearse.migration.smoke.smoke import SmokeOptions, run
from pgrehearse.text.project import Project
from support.contracts import TRIGGER, found, rows

Example = Callable[..., str]


def test_the_example_keeps_its_contract_and_nothing_is_left(example: Example, contract: Path) -> None:
    dsn = example()
    before = rows(dsn)
    report = run(dsn, load(contract), SmokeOptions())
    assert found(report) == []
    assert (report.tried, report.looked_up, report.seeded) == (39, 0, False)
    assert {kind: covered == there for kind, (covered, there) in report.covered.items()} == dict.fromkeys(
        report.covered, True
    )
    assert rows(dsn) == before
    report = run(dsn, load(contract), SmokeOptions(read_only=True))
    assert found(report) == []
    assert report.tried + report.looked_up == 39


def test_empty_tables_get_the_seed_for_the_time_of_the_run(
    example: Example, contract: Path, repository: Project
) -> None:
    dsn = example("TRUNCATE app_users, wishlist_items")
    for _ in range(2):  # sequences are put back, too: the rows of the seed know their numbers
        report = run(dsn, load(contract), SmokeOptions(seed=repository.seed))
        assert (found(report), report.seeded) == ([], True)
    assert rows(dsn) == [(0, 0)]
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT last_value FROM app_users_id_seq").fetchone() == (50,)
    assert len(found(run(dsn, load(contract), SmokeOptions()))) > 5, "without rows the contract shows little"


#: What goes wrong, and what is said of it: in a full run and in one that only reads.
BROKEN = {
    "dropped CHECK": (
        "ALTER TABLE wishlist_items DROP CONSTRAINT wishlist_items_price_check",
        "the database has no constraint wishlist_items_price_check",
        "same",
    ),
    "looser CHECK": (
        "ALTER TABLE wishlist_items DROP CONSTRAINT wishlist_items_price_check,"
        " ADD CONSTRAINT wishlist_items_price_check CHECK (price BETWEEN -1 AND 100000)",
        "refuses wishlist_items_price_check: nothing was refused",
        None,
    ),
    "NOT VALID": (
        "ALTER TABLE wishlist_items DROP CONSTRAINT wishlist_items_price_check,"
        " ADD CONSTRAINT wishlist_items_price_check CHECK (price BETWEEN 0 AND 100000) NOT VALID",
        "constraint wishlist_items_price_check on wishlist_items is NOT VALID",
        "same",
    ),
    "renamed CHECK": (
        "ALTER TABLE wishlist_items RENAME CONSTRAINT wishlist_items_price_check TO cheap",
        "no entry shows constraint cheap on wishlist_items",
        "same",
    ),
    "another constraint in the way": (
        "ALTER TABLE wishlist_items ADD CONSTRAINT a_first CHECK (price > 0) NOT VALID",
        "another one refused the row: constraint a_first on wishlist_items",
        "constraint a_first on wishlist_items is NOT VALID",
    ),
    "dropped NOT NULL": (
        "ALTER TABLE wishlist_items ALTER title DROP NOT NULL",
        "the database has no NOT NULL on wishlist_items.title",
        "same",
    ),
    "dropped foreign key": (
        "ALTER TABLE wishlist_items DROP CONSTRAINT wishlist_items_user_id_fkey",
        "the database has no constraint wishlist_items_user_id_fkey",
        "same",
    ),
    "foreign key without cascade": (
        "ALTER TABLE wishlist_items DROP CONSTRAINT wishlist_items_user_id_fkey,"
        " ADD CONSTRAINT wishlist_items_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_users",
        'a statement that prepares failed: update or delete on table "app_users" violates',
        None,
    ),
    "dropped UNIQUE": (
        "ALTER TABLE wishlist_items DROP CONSTRAINT wishlist_items_url_user_key",
        "the database has no constraint wishlist_items_url_user_key",
        "same",
    ),
    "dropped primary key": (
        "ALTER TABLE wishlist_items DROP CONSTRAINT wishlist_items_pkey",
        "the database has no constraint wishlist_items_pkey",
        "same",
    ),
    "dropped index": (
        "DROP INDEX wishlist_items_unmatched_idx",
        "the database has no index wishlist_items_unmatched_idx",
        "same",
    ),
    "INVALID index": (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'wishlist_items_unmatched_idx'::regclass",
        "index wishlist_items_unmatched_idx on wishlist_items is INVALID",
        "same",
    ),
    "index of other columns": (
        "DROP INDEX wishlist_items_unmatched_idx;"
        " CREATE INDEX wishlist_items_unmatched_idx ON wishlist_items (purchased_at)",
        "uses wishlist_items_unmatched_idx: the query cannot use it",
        "same",
    ),
    "index that costs more than the table": (
        "DROP INDEX wishlist_items_user_created_idx;"
        " CREATE INDEX wishlist_items_user_created_idx ON wishlist_items (created_at, user_id)",
        "uses wishlist_items_user_created_idx: the query ",
        None,
    ),
    "changed default": (
        "ALTER TABLE wishlist_items ALTER priority SET DEFAULT 4",
        "default wishlist_items.priority: it is 4, not 3",
        "same",
    ),
    "dropped default": (
        "ALTER TABLE wishlist_items ALTER priority DROP DEFAULT",
        "the database has no default of wishlist_items.priority",
        "same",
    ),
    "identity that can be chosen": (
        "ALTER TABLE app_users ALTER id SET GENERATED BY DEFAULT",
        '428C9 was expected, and this came: duplicate key value violates unique constraint "app_users_pkey"',
        None,
    ),
    "new label": (
        "ALTER TYPE store ADD VALUE 'kickstarter'",
        "enum store has a label that is not in the contract: kickstarter",
        "same",
    ),
    "removed label": (
        "ALTER TYPE currency RENAME TO gone;"
        " CREATE TYPE currency AS ENUM ('EUR', 'USD', 'GBP');"
        " UPDATE wishlist_items SET currency = 'EUR' WHERE currency = 'CHF';"
        " ALTER TABLE wishlist_items ALTER currency TYPE currency USING currency::text::currency;"
        " DROP TYPE gone",
        "enum currency has no label CHF",
        "same",
    ),
    "labels in another order": (
        "ALTER TYPE currency RENAME VALUE 'EUR' TO 'x'; ALTER TYPE currency RENAME VALUE 'USD' TO 'EUR';"
        " ALTER TYPE currency RENAME VALUE 'x' TO 'USD'",
        "the labels of currency sort in another order: USD, EUR, GBP, CHF",
        "same",
    ),
    "something new": (
        "ALTER TABLE app_users ADD COLUMN age int DEFAULT 0 NOT NULL,"
        " ADD CONSTRAINT grown CHECK (age >= 0); CREATE INDEX app_users_age_idx ON app_users (age)",
        "no entry shows index app_users_age_idx on app_users",
        "same",
    ),
    "trigger nobody knows": (TRIGGER, "no entry shows trigger shout on wishlist_items", "same"),
    "domain nobody knows": (
        "CREATE DOMAIN cents AS int NOT NULL CONSTRAINT paid CHECK (VALUE > 0)",
        "no entry shows constraint paid on cents",
        "same",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named(name: str, example: Example, contract: Path) -> None:
    change, full, read_only = BROKEN[name]
    dsn = example(change)
    report = run(dsn, load(contract), SmokeOptions())
    assert any(full in line for line in found(report)), found(report)
    told = found(run(dsn, load(contract), SmokeOptions(read_only=True)))
    if read_only is None:
        assert told == [], "only rows show it"
    else:
        expected = full if read_only == "same" else read_only
        assert any(expected in line for line in told), told


def test_a_seed_that_breaks_a_constraint(example: Example, contract: Path, tmp_path: Path) -> None:
    seed = tmp_path / "seed.sql"
    seed.write_text("-- rows\nINSERT INTO app_users (email) VALUES ('nobody');\n", "utf-8")
    with pytest.raises(ExpectationError, match="app_users_email_check") as caught:
        run(example("TRUNCATE app_users, wishlist_items"), load(contract), SmokeOptions(seed=seed))
    assert (caught.value.path, caught.value.line) == (seed, 2)
