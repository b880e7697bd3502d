"""Entries of a contract, one kind after the other: what each can find, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from pgrehearse.command.db.smoke import smoke
from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.migration.smoke.contract import load
from pgrehearse.migration.smoke.smoke import SmokeOptions, run
from pgrehearse.text.project import Project
from support.contracts import TRIGGER, found, of, rows
from support.databases import mark

Example = Callable[..., str]


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
