"""What interrupted changes leave is listed, and nothing that was made that way on purpose."""

from __future__ import annotations

from pathlib import Path

import psycopg

from pgrehearse.servers import start
from pgrehearse.text.document import load
from support.majors import RECENT, TEST_MAJOR

PAGE = Path(__file__).parents[3] / "docs" / "stuck" / "migration-half-applied.md"
LEFT = """
CREATE TABLE visit (day int) PARTITION BY LIST (day);
CREATE TABLE visit_1 PARTITION OF visit FOR VALUES IN (1);
ALTER TABLE visit ADD CONSTRAINT some_day CHECK (day <> 7) NOT VALID;
CREATE DOMAIN price AS int;
ALTER DOMAIN price ADD CONSTRAINT not_negative CHECK (VALUE >= 0) NOT VALID;
CREATE TABLE whole (id int CONSTRAINT positive CHECK (id > 0));
"""


def found(session: psycopg.Connection[tuple[str, ...]]) -> list[tuple[str, ...]]:
    (query,) = (cell.source for cell in load(PAGE).cells if "'half detached'" in cell.source)
    return session.execute(query.encode()).fetchall()


def test_what_a_change_left_and_what_was_meant() -> None:
    with (
        start(TEST_MAJOR) as server,
        psycopg.connect(server.dsn(), autocommit=True) as look,
        psycopg.connect(server.dsn()) as reader,
    ):
        assert found(look) == []
        look.execute(LEFT)
        reader.execute("SELECT count(*) FROM visit")
        look.execute("SET lock_timeout = '100ms'")
        try:
            look.execute("ALTER TABLE visit DETACH PARTITION visit_1 CONCURRENTLY")
            raise AssertionError("it did not wait for the reader")
        except psycopg.errors.LockNotAvailable:
            pass
        reader.rollback()
        left = [
            ("half detached", "visit_1", "of visit"),
            ("rule NOT VALID", "not_negative", "of price"),
            ("rule NOT VALID", "some_day", "of visit"),
            ("rule NOT VALID", "some_day", "of visit_1"),
        ]
        assert found(look) == left
        if TEST_MAJOR in (None, RECENT):  # 18 or later
            look.execute("CREATE TABLE meant (id int CONSTRAINT loose CHECK (id > 0) NOT ENFORCED)")
            look.execute("CREATE TABLE later (id int)")
            look.execute("ALTER TABLE later ADD CONSTRAINT given NOT NULL id NOT VALID")
            assert found(look) == [*left[:1], ("rule NOT VALID", "given", "of later"), *left[1:]]
