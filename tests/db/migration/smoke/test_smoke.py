"""Smoke tests: the example's contract is green, and each thing that can go wrong turns it red by its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from pgrehearse.command.db.smoke import smoke
from pgrehearse.errors import DocumentError, ExpectationError, SetupError
from pgrehearse.migration.smoke.contract import load
from pgrehearse.migration.smoke.smoke import SmokeOptions, SmokeReport, run
from pgrehearse.text.project import Project
from support.databases import mark

Example = Callable[..., str]
TRIGGER = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.title = 'forbidden' THEN RAISE EXCEPTION 'this title is forbidden'; END IF;
    NEW.title := upper(NEW.title);
    RETURN NEW;
END $$;
CREATE TRIGGER shout BEFORE INSERT ON wishlist_items FOR EACH ROW EXECUTE FUNCTION touch();
"""


@pytest.fixture
def contract(repository: Project) -> Path:
    return repository.root / "db" / "smoke.sql"


def found(report: SmokeReport) -> list[str]:
    return [f"{f.line} {f.about}: {f.message}" for f in report.findings]


def of(tmp_path: Path, dsn: str, text: str, **options: object) -> SmokeReport:
    """Run a contract of its own; what it leaves out is no finding here."""
    path = tmp_path / "smoke.sql"
    path.write_text(text, "utf-8")
    report = run(dsn, load(path), SmokeOptions(**options))  # type: ignore[arg-type]
    report.findings[:] = [f for f in report.findings if not f.message.startswith("no entry shows")]
    return report


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


def rows(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        query = "SELECT (SELECT count(*) FROM app_users), (SELECT count(*) FROM wishlist_items)"
        return connection.execute(query).fetchall()


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


FIRES = """\
-- fires shout on wishlist_items
INSERT INTO wishlist_items (user_id, title) SELECT min(id), 'wish' FROM app_users RETURNING title = 'WISH';

-- refuses P0001 forbidden
-- fires shout on wishlist_items
INSERT INTO wishlist_items (user_id, title) SELECT min(id), 'forbidden' FROM app_users;
"""


def test_triggers_fire_and_the_counterproof_shows_it(example: Example, tmp_path: Path) -> None:
    dsn = example(TRIGGER)
    assert found(of(tmp_path, dsn, FIRES)) == []
    vacuous = FIRES.replace("title = 'WISH'", "lower(title) = 'wish'")
    assert "1 fires shout on wishlist_items: the same happens without trigger shout" in found(
        of(tmp_path, dsn, vacuous)
    )[0]  # fmt: skip
    disabled = example(TRIGGER, "ALTER TABLE wishlist_items DISABLE TRIGGER shout")
    for read_only in (False, True):
        told = found(of(tmp_path, disabled, FIRES, read_only=read_only))
        assert "1 trigger shout on wishlist_items: trigger shout on wishlist_items is disabled" in told
    assert found(of(tmp_path, example(), FIRES, read_only=True)) == [
        "1 fires shout on wishlist_items: the database has no trigger shout on wishlist_items",
        "4 refuses forbidden; fires shout on wishlist_items:"
        " the database has no trigger shout on wishlist_items",
    ]


def test_partitions_domains_exclusion_deferred_and_unique_indexes(example: Example, tmp_path: Path) -> None:
    dsn = example(
        "CREATE DOMAIN cents AS int CONSTRAINT paid CHECK (VALUE > 0);"
        "CREATE TABLE event (id int NOT NULL, at date NOT NULL, price cents, CONSTRAINT soon CHECK (id > 0),"
        " CONSTRAINT event_pkey PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
        "CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        "CREATE INDEX event_price_idx ON event (price);"
        "INSERT INTO event SELECT n, '2026-02-01', n FROM generate_series(1, 5000) AS n; ANALYZE event;"
        'CREATE TABLE "Room" (span int4range, "No" int NOT NULL, code text COLLATE "C",'
        ' CONSTRAINT "one at a time" EXCLUDE USING gist (span WITH &&));'
        'CREATE UNIQUE INDEX room_code_key ON "Room" (lower(code));'
        "CREATE TABLE node (id int PRIMARY KEY, next int CONSTRAINT next REFERENCES node"
        " DEFERRABLE INITIALLY DEFERRED)"
    )
    text = """\
-- refuses 23514 paid
INSERT INTO event VALUES (1, '2026-03-01', 0);

-- refuses 23514 soon on event
INSERT INTO event VALUES (0, '2026-03-01', 1);

-- refuses 23505 event_pkey
INSERT INTO event VALUES (1, '2026-02-01', 1);

-- refuses 23502 event.id
INSERT INTO event VALUES (NULL, '2026-03-01', 1);

-- uses event_price_idx
SELECT * FROM event WHERE price = 77;

-- refuses 23P01 "one at a time" on "Room"
INSERT INTO "Room" VALUES ('[1,2)', 1), ('[1,2)', 2);

-- refuses 23502 "Room"."No"
INSERT INTO "Room" VALUES ('[1,2)', NULL);

-- refuses 23505 room_code_key
INSERT INTO "Room" ("No", code) VALUES (1, 'a'), (2, 'A');

-- refuses 23503 next on node
INSERT INTO node VALUES (1, 2);
"""
    assert found(of(tmp_path, dsn, text)) == []
    told = found(of(tmp_path, dsn, text.replace("(0, '2026-03-01', 1)", "(1, '2026-02-01', 1)")))
    assert told[0].startswith("4 refuses soon on event: 23514 was expected, and this came: duplicate key")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("-- returns 2\nSELECT 1;", "1 returns: it returned 1, not 2"),
        ("-- returns 1\nSELECT 1 WHERE false;", "1 returns: it returned nothing, not 1"),
        ("-- returns nothing\nSELECT 1, NULL;", "1 returns: 1 rows came, the first: 1|"),
        ("-- returns 1\nSELECT 1/0;", "2 returns: the statement failed: division by zero (22012)"),
        (
            "-- refuses 23514 wishlist_items_title_check\n"
            "UPDATE wishlist_items SET title = '' WHERE id = -1;",
            "1 refuses wishlist_items_title_check:"
            " the statement found no row, so nothing could be refused",
        ),
        ("-- refuses 22012 by one\nSELECT 1/0;", "1 refuses by one: the error does not say 'by one': "
         "division by zero (22012)"),
        ("-- default app_users.id = 3\nSELECT 1;", "1 default app_users.id: app_users.id is identity: it has"
         " no constant to compare with"),
        (
            "-- default app_users.id\nINSERT INTO app_users (email) VALUES ('a@b') RETURNING id < 0;",
            "1 default app_users.id: the statement must return true, and returned f",
        ),
        ("-- leaves out index nothing: why not", "1 leaves out index nothing: nothing to leave out: no index"
         " nothing without an entry"),
        (
            "-- not valid wishlist_items_price_check: soon",
            "1 not valid wishlist_items_price_check: wishlist_items_price_check is valid",
        ),
        ("-- not valid price: soon", "1 not valid price: the database has no price"),
    ],
)  # fmt: skip
def test_what_an_entry_can_find(text: str, line: str, example: Example, tmp_path: Path) -> None:
    assert found(of(tmp_path, example(rows=20), text)) == [line]


def test_reasons(example: Example, tmp_path: Path) -> None:
    path = tmp_path / "smoke.sql"
    path.write_text(
        "-- leaves out *: not now\n-- not valid cheap on wishlist_items: the next migration validates it\n",
        "utf-8",
    )
    dsn = example("ALTER TABLE wishlist_items ADD CONSTRAINT cheap CHECK (price < 9) NOT VALID")
    report = run(dsn, load(path), SmokeOptions())
    assert found(report) == []
    assert ("label CHF of currency", "not now") in report.left_out


def test_what_would_end_the_transaction_is_refused(example: Example, tmp_path: Path) -> None:
    dsn = example()
    report = of(tmp_path, dsn, "-- returns 1\nDO $$ BEGIN COMMIT; END $$;\n")
    assert "invalid transaction termination (2D000)" in found(report)[0]
    with pytest.raises(DocumentError, match="one transaction"):
        of(tmp_path, dsn, "-- returns 1\nROLLBACK;\n")


def test_reading_cannot_write_and_does_not_take_for_ever(example: Example, tmp_path: Path) -> None:
    dsn = example("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM wishlist_items; SELECT 1'")
    report = of(tmp_path, dsn, "-- returns 1\nSELECT f();\n", read_only=True)
    assert (found(report), report.looked_up) == ([], 1)
    assert rows(dsn) == [(50, 1000)]
    report = of(
        tmp_path,
        dsn,
        "-- returns 1\nSELECT 1 FROM pg_sleep(60);\n",
        read_only=True,
        statement_timeout="50ms",
    )
    assert "canceling statement due to statement timeout (57014)" in found(report)[0]


def test_the_command(example: Example, repository: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository.root)
    good = CliRunner().invoke(smoke, ["--dsn", example(), "--json"], standalone_mode=False)
    assert good.return_value == 0
    assert json.loads(good.output)["covered"]["constraint"] == {"covered": 12, "there": 12}
    dropped = example("ALTER TABLE wishlist_items DROP CONSTRAINT wishlist_items_price_check")
    bad = CliRunner().invoke(smoke, ["--dsn", dropped], standalone_mode=False)
    assert bad.return_value == 1
    assert (
        "\ndb/smoke.sql:79: refuses wishlist_items_price_check: the database has no constraint" in bad.output
    )
    value = json.loads(CliRunner().invoke(smoke, ["--dsn", dropped, "--json"], standalone_mode=False).output)
    assert value["findings"][0]["line"] == 79
    github = (
        CliRunner()
        .invoke(smoke, ["--dsn", dropped, "--format", "github"], standalone_mode=False)
        .output.splitlines()
    )
    assert any(
        line.startswith("::error file=db/smoke.sql,line=79,title=contract::refuses") for line in github
    )


def test_production_is_only_read(
    example: Example, repository: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.root)
    dsn = example()
    mark(dsn, "production")
    refused = CliRunner().invoke(smoke, ["--dsn", dsn], standalone_mode=False)
    assert isinstance(refused.exception, SetupError)
    assert "is production" in str(refused.exception)
    read = CliRunner().invoke(smoke, ["--dsn", dsn, "--read-only"], standalone_mode=False)
    assert (read.return_value, "nothing wrong" in read.output) == (0, True), read.output
