"""The example database keeps its promises: migrations go up and down, and every rule is there and explained.

Only psycopg is used, so the migrations are proven without the engine's own runner.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from support import ROOT

DB = ROOT / "db"
FILES = sorted((DB / "migrations").glob("*.sql"))
MARKER = re.compile(r"^-- migrate:(up|down)([^\n]*)$", re.MULTILINE)

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True)
class Section:
    """One direction of a migration file."""

    text: str
    transaction: bool


def read_migration(path: Path) -> dict[str, Section]:
    """Split one file at dbmate's markers; both directions must be there, in this order."""
    before, *rest = MARKER.split(path.read_text(encoding="utf-8"))
    assert all(not line or line.startswith("--") for line in before.splitlines()), f"{path}: SQL before up"
    assert rest[0::3] == ["up", "down"], f"{path}: wants -- migrate:up, then -- migrate:down"
    return {
        direction: Section(text, transaction="transaction:false" not in options)
        for direction, options, text in zip(rest[0::3], rest[1::3], rest[2::3], strict=True)
    }


def migrate(connection: Connection, path: Path, direction: str) -> None:
    section = read_migration(path)[direction]
    if section.transaction:
        with connection.transaction():
            connection.execute(section.text)
    else:
        # A prepared statement holds one statement: PostgreSQL itself refuses a second one (42601).
        connection.execute(section.text, prepare=True)


def seed(connection: Connection, rows: int) -> None:
    text = (DB / "seed.sql").read_text(encoding="utf-8")
    assert ":'rows'" in text
    connection.execute(text.replace(":'rows'", f"'{rows}'"))


@pytest.fixture
def empty(database: str) -> Iterator[Connection]:
    with closing(psycopg.connect(database, autocommit=True)) as connection:
        yield connection


@pytest.fixture
def example(empty: Connection) -> Connection:
    """All migrations and 1,000 wishes."""
    for path in FILES:
        migrate(empty, path, "up")
    seed(empty, 1000)
    return empty


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


def test_seed_uses_every_label_null_and_boundary(example: Connection) -> None:
    facts = {
        "rows": "SELECT count(*) = 1000 FROM wishlist_items",
        "stores": "SELECT array_agg(DISTINCT store ORDER BY store)"
        " = enum_range(NULL::store) FROM wishlist_items",
        "currencies": "SELECT array_agg(DISTINCT currency ORDER BY currency)"
        " = enum_range(NULL::currency) FROM wishlist_items WHERE currency IS NOT NULL",
        "priorities": "SELECT array_agg(DISTINCT priority ORDER BY priority)"
        " = '{1,2,3,4,5}' FROM wishlist_items",
        "titles": "SELECT min(length(title)) = 1 AND max(length(title)) = 200 FROM wishlist_items",
        "links": "SELECT max(octet_length(url)) = 2000 AND bool_or(url IS NULL) FROM wishlist_items",
        "prices": "SELECT min(price) = 0 AND max(price) = 100000"
        " AND bool_or(price IS NULL) FROM wishlist_items",
        "purchases": "SELECT bool_or(purchased_at IS NULL) AND bool_or(purchased_at = created_at)"
        " AND bool_or(purchased_at > created_at) FROM wishlist_items",
        "accounts": "SELECT count(*) = 50 AND bool_or(display_name IS NULL) FROM app_users",
        "account without wishes": "SELECT count(*) = 1 FROM app_users AS u"
        " WHERE NOT EXISTS (SELECT FROM wishlist_items WHERE user_id = u.id)",
        "statistics": "SELECT reltuples = 1000 FROM pg_class WHERE oid = 'wishlist_items'::regclass",
    }
    wrong = [name for name, query in facts.items() if example.execute(query).fetchone() != (True,)]
    assert wrong == []


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_seed_works_at_any_size(empty: Connection, rows: int) -> None:
    for path in FILES:
        migrate(empty, path, "up")
    seed(empty, rows)
    assert empty.execute("SELECT count(*) FROM wishlist_items").fetchone() == (rows,)


def test_seed_gives_the_same_rows_on_every_server(example: Connection) -> None:
    """Published outputs depend on it; when the seed changes on purpose, so does this value."""
    example.execute("SET timezone = 'UTC'")
    digest = example.execute(
        "SELECT md5(string_agg(w::text, E'\\n' ORDER BY id)) FROM wishlist_items AS w"
    ).fetchone()
    assert digest == ("2918c21922aebc44cdd51578fea00b71",)


ITEM = {
    "user_id": "1",
    "title": "'kettle'",
    "url": "'https://etsy.example/item/new'",
    "store": "'etsy'",
    "price": "10",
    "currency": "'EUR'",
    "priority": "3",
    "created_at": "'2026-03-01'",
    "purchased_at": "'2026-03-02'",
}
TAKEN_URL = "(SELECT min(url) FROM wishlist_items WHERE user_id = 1)"
BAD_ITEMS = [
    ("user_id", "NULL", "23502", "user_id"),
    ("user_id", "0", "23503", "wishlist_items_user_id_fkey"),
    ("title", "NULL", "23502", "title"),
    ("title", "''", "23514", "wishlist_items_title_check"),
    ("title", "repeat('x', 201)", "23514", "wishlist_items_title_check"),
    ("url", "'ftp://etsy.example/item'", "23514", "wishlist_items_url_check"),
    ("url", "'https://etsy.example/an item'", "23514", "wishlist_items_url_check"),
    ("url", "rpad('https://etsy.example/', 2001, 'x')", "23514", "wishlist_items_url_check"),
    ("url", TAKEN_URL, "23505", "wishlist_items_url_user_key"),
    ("store", "NULL", "23502", "store"),
    ("store", "'target'", "22P02", None),
    ("price", "-0.01", "23514", "wishlist_items_price_check"),
    ("price", "100000.01", "23514", "wishlist_items_price_check"),
    ("price", "'NaN'", "23514", "wishlist_items_price_check"),
    ("price", "NULL", "23514", "wishlist_items_price_currency_check"),
    ("currency", "NULL", "23514", "wishlist_items_price_currency_check"),
    ("currency", "'JPY'", "22P02", None),
    ("currency", "'CNY'", "22P02", None),
    ("priority", "0", "23514", "wishlist_items_priority_check"),
    ("priority", "6", "23514", "wishlist_items_priority_check"),
    ("priority", "NULL", "23502", "priority"),
    ("created_at", "NULL", "23502", "created_at"),
    ("purchased_at", "'2026-02-28'", "23514", "wishlist_items_purchased_check"),
]
BAD_USERS = [
    ("NULL", "23502", "email"),
    ("'user1@example.com'", "23505", "app_users_email_key"),
    ("'nobody'", "23514", "app_users_email_check"),
]


def refusal(connection: Connection, statement: str) -> tuple[str | None, str | None]:
    """SQLSTATE and the constraint, or the column of a NOT NULL; (None, None) when the row is accepted."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.Error as error:
        # 18 names NOT NULL constraints; the column is there in every version.
        return error.sqlstate, error.diag.column_name or error.diag.constraint_name
    return None, None


def insert_item(**changed: str) -> str:
    values = ITEM | changed
    return f"INSERT INTO wishlist_items ({', '.join(values)}) VALUES ({', '.join(values.values())})"


def test_bad_rows_are_refused_by_their_own_rule(example: Connection) -> None:
    expected = {insert_item(**{column: value}): (state, rule) for column, value, state, rule in BAD_ITEMS}
    expected |= {
        f"INSERT INTO app_users (email) VALUES ({email})": (state, rule) for email, state, rule in BAD_USERS
    }
    expected["INSERT INTO wishlist_items (id, user_id, title) VALUES (5, 1, 'x')"] = ("428C9", None)
    got = {statement: refusal(example, statement) for statement in expected}
    assert got == expected
    # Control: the row without a mistake is accepted, so each refusal above is for its one mistake.
    assert refusal(example, insert_item()) == (None, None)
    named = {rule for _, _, _, rule in BAD_ITEMS} | {rule for _, _, rule in BAD_USERS}
    checked = example.execute(
        "SELECT conname FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'u')"
    ).fetchall()
    assert {name for (name,) in checked} <= named


def test_defaults_and_cascade(example: Connection) -> None:
    row = example.execute(
        "INSERT INTO wishlist_items (user_id, title) VALUES (1, 'tent')"
        " RETURNING store::text, price, currency, priority, url, purchased_at, created_at = now()"
    ).fetchone()
    assert row == ("other", None, None, 3, None, None, True)
    example.execute("DELETE FROM app_users WHERE id = 1")
    assert example.execute("SELECT count(*) FROM wishlist_items WHERE user_id = 1").fetchone() == (0,)


INDEX_QUERIES = {
    "app_users_email_key": "SELECT * FROM app_users WHERE email = 'user7@example.com'",
    "app_users_pkey": "SELECT * FROM app_users WHERE id = 7",
    "wishlist_items_pkey": "DELETE FROM wishlist_items WHERE id = 7",
    "wishlist_items_unmatched_idx": "SELECT title FROM wishlist_items WHERE store = 'other'"
    " ORDER BY created_at LIMIT 100",
    "wishlist_items_url_user_key": "SELECT user_id FROM wishlist_items WHERE url = 'https://etsy.example/item/5'",
    "wishlist_items_user_created_idx": "SELECT * FROM wishlist_items WHERE user_id = 7"
    " ORDER BY created_at DESC LIMIT 10",
}


def test_every_index_serves_the_query_its_comment_names(empty: Connection) -> None:
    for path in FILES:
        migrate(empty, path, "up")
    seed(empty, 20_000)
    indexes = empty.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'").fetchall()
    assert {name for (name,) in indexes} == set(INDEX_QUERIES)

    def plan(query: str) -> str:
        return "\n".join(str(line) for (line,) in empty.execute(f"EXPLAIN (COSTS off) {query}"))

    assert [name for name, query in INDEX_QUERIES.items() if name not in plan(query)] == []
    # Control: a query that no index serves is seen as such.
    assert "Seq Scan" in plan("SELECT * FROM wishlist_items WHERE price = 10")


# --- comments: inline, directly above the definition, and the same words in the database ---

DEFINITION = re.compile(
    r"^\s*(?:ADD\s+)?CONSTRAINT\s+(\w+)|^\s*CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(\w+)",
    re.IGNORECASE,
)


def inline_comments(text: str) -> dict[str, str]:
    """Name of each constraint and index defined in `text` -> the comment lines directly above, joined."""
    found: dict[str, str] = {}
    above: list[str] = []
    for line in text.splitlines():
        if line.strip().startswith("--"):
            above.append(line.strip().removeprefix("--").strip())
            continue
        if match := DEFINITION.match(line):
            found[match[1] or match[2]] = " ".join(above)
        above = []
    return found


def uncommented(connection: Connection, texts: list[str]) -> list[str]:
    """Names of indexes and constraints without COMMENT, without inline comment, or with different words.

    An index that belongs to a constraint is explained by the constraint.
    """
    inline: dict[str, str] = {}
    for text in texts:
        inline |= inline_comments(text)
    rules = connection.execute(
        """
        SELECT conname, obj_description(oid, 'pg_constraint') FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
        UNION ALL
        SELECT c.relname, obj_description(c.oid, 'pg_class')
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE c.relnamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid)
        ORDER BY 1
        """
    ).fetchall()
    return [str(name) for name, comment in rules if not comment or inline.get(str(name)) != comment]


def up_texts() -> list[str]:
    return [read_migration(path)["up"].text for path in FILES]


def test_every_index_and_constraint_is_explained_twice(example: Connection) -> None:
    assert uncommented(example, up_texts()) == []


def test_checker_of_comments_turns_red(example: Connection) -> None:
    """Negative control: a lost COMMENT, other words, no inline comment, one that is not directly above."""
    example.execute("COMMENT ON INDEX wishlist_items_unmatched_idx IS NULL")
    example.execute("COMMENT ON CONSTRAINT app_users_pkey ON app_users IS 'Something else.'")
    assert uncommented(example, up_texts()) == ["app_users_pkey", "wishlist_items_unmatched_idx"]
    example.execute("CREATE INDEX extra_idx ON wishlist_items (price)")
    example.execute("COMMENT ON INDEX extra_idx IS 'Cheapest first.'")
    good = textwrap.dedent("""\
        -- Cheapest first.
        CREATE INDEX extra_idx ON wishlist_items (price);
        """)
    apart = good.replace("first.\n", "first.\n\n")
    assert "extra_idx" not in uncommented(example, [*up_texts(), good])
    assert "extra_idx" in uncommented(example, [*up_texts(), apart])
    assert "extra_idx" in uncommented(example, up_texts())


def test_every_table_column_and_type_has_a_comment(example: Connection) -> None:
    silent = example.execute(
        """
        SELECT format('%s.%s', attrelid::regclass, attname)
        FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND attnum > 0 AND NOT attisdropped
          AND col_description(attrelid, attnum) IS NULL
        UNION ALL
        SELECT oid::regclass::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
          AND obj_description(oid, 'pg_class') IS NULL
        UNION ALL
        SELECT typname FROM pg_type WHERE typtype = 'e' AND obj_description(oid, 'pg_type') IS NULL
        """
    ).fetchall()
    assert silent == []


def test_schema_file_names_every_migration_and_every_rule(example: Connection) -> None:
    """schema.sql is what dbmate wrote; a migration added without writing it again is noticed here."""
    text = (DB / "schema.sql").read_text(encoding="utf-8")
    assert re.findall(r"'(\d{14})'", text) == [path.name[:14] for path in FILES]
    names = example.execute(
        "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
        " UNION SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    ).fetchall()
    assert [name for (name,) in names if str(name) not in text] == []


def test_types_meet_what_the_enum_guide_shows(example: Connection) -> None:
    """A default (42804) and a partial index with a literal (42883) stand in the way of a type swap."""
    example.execute("CREATE TYPE store_new AS ENUM ('amazon', 'ebay', 'etsy', 'ikea', 'other')")
    swap = "ALTER TABLE wishlist_items ALTER store TYPE store_new USING store::text::store_new"
    assert refusal(example, swap) == ("42804", None)
    example.execute("ALTER TABLE wishlist_items ALTER store DROP DEFAULT")
    assert refusal(example, swap) == ("42883", None)
    example.execute("DROP INDEX wishlist_items_unmatched_idx")
    assert refusal(example, swap) == (None, None)
