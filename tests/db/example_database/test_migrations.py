"""The example's migrations go up and down, and its schema file says what they make."""

from __future__ import annotations

import re

import psycopg
import pytest

from support.example import DB, FILES, Connection, migrate, read_migration

# Everything the migrations make, as lines; the internal order of columns is left out on purpose.
FINGERPRINT = """
SELECT format('type %s %s -- %s', t.typname, enum_range.labels, obj_description(t.oid, 'pg_type'))
FROM pg_type AS t
CROSS JOIN LATERAL (
    SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) AS labels FROM pg_enum WHERE enumtypid = t.oid
) AS enum_range
WHERE t.typtype = 'e'
UNION ALL
SELECT format('relation %s %s -- %s', c.relkind, c.oid::regclass, obj_description(c.oid, 'pg_class'))
FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT format('column %s.%s %s notnull=%s identity=%s default=%s -- %s', c.oid::regclass, a.attname,
              format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
              pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
UNION ALL
SELECT format('constraint %s %s valid=%s -- %s', conname, pg_get_constraintdef(oid), convalidated,
              obj_description(oid, 'pg_constraint'))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT format('index %s valid=%s', pg_get_indexdef(i.indexrelid), i.indisvalid)
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE c.relnamespace = 'public'::regnamespace
ORDER BY 1
"""


def fingerprint(connection: Connection) -> list[str]:
    return [str(line) for (line,) in connection.execute(FINGERPRINT)]


def test_each_migration_goes_up_down_and_up_again(empty: Connection) -> None:
    states = [fingerprint(empty)]
    assert states == [[]]
    for path in FILES:
        migrate(empty, path, "up")
        states.append(fingerprint(empty))
        assert states[-1] != states[-2], f"{path.name} changes nothing"
    for number in range(len(FILES), 0, -1):
        migrate(empty, FILES[number - 1], "down")
        assert fingerprint(empty) == states[number - 1], f"{FILES[number - 1].name} leaves something behind"
    for path in FILES:
        migrate(empty, path, "up")
    assert fingerprint(empty) == states[-1]


def test_late_migrations_go_down_and_up_with_rows(example: Connection) -> None:
    """The ones after the tables exist; before that a down part would drop the rows."""
    end = fingerprint(example)
    late = [path for path in FILES if path.name > "20260105999999"]
    for path in reversed(late):
        migrate(example, path, "down")
    for path in late:
        migrate(example, path, "up")
    assert fingerprint(example) == end
    assert example.execute("SELECT count(*) FROM wishlist_items").fetchone() == (1000,)


def test_fingerprint_sees_a_lost_comment_and_a_changed_index(example: Connection) -> None:
    """Negative control of the two tests above."""
    before = fingerprint(example)
    changes: tuple[str, ...] = (
        "COMMENT ON COLUMN wishlist_items.url IS NULL",
        "COMMENT ON CONSTRAINT wishlist_items_price_check ON wishlist_items IS 'other'",
        "DROP INDEX wishlist_items_unmatched_idx",
        "ALTER TYPE currency ADD VALUE 'JPY'",
        "ALTER TABLE wishlist_items ALTER priority SET DEFAULT 2",
    )
    for statement in changes:
        example.execute(statement)
        after = fingerprint(example)
        assert after != before, statement
        before = after


def test_file_without_transaction_holds_one_statement(example: Connection) -> None:
    sections = [section for path in FILES for section in read_migration(path).values()]
    assert len([section for section in sections if not section.transaction]) == 6
    with pytest.raises(psycopg.errors.SyntaxError, match="multiple commands"):
        example.execute("SELECT 1; SELECT 2", prepare=True)


def test_schema_file_names_every_migration_and_every_rule(example: Connection) -> None:
    """schema.sql is what dbmate wrote; a migration added without writing it again is noticed here."""
    text = (DB / "schema.sql").read_text(encoding="utf-8")
    assert re.findall(r"'(\d{14})'", text) == [path.name[:14] for path in FILES]
    names = example.execute(
        "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
        " UNION SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    ).fetchall()
    assert [name for (name,) in names if str(name) not in text] == []
