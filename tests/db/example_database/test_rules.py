"""The example's seed covers every case, and every rule and index is there for a reason."""

from __future__ import annotations

import psycopg
import pytest

from support.example import FILES, Connection, migrate, seed


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


def test_types_meet_what_the_enum_guide_shows(example: Connection) -> None:
    """A default (42804) and a partial index with a literal (42883) stand in the way of a type swap."""
    example.execute("CREATE TYPE store_new AS ENUM ('amazon', 'ebay', 'etsy', 'ikea', 'other')")
    swap = "ALTER TABLE wishlist_items ALTER store TYPE store_new USING store::text::store_new"
    assert refusal(example, swap) == ("42804", None)
    example.execute("ALTER TABLE wishlist_items ALTER store DROP DEFAULT")
    assert refusal(example, swap) == ("42883", None)
    example.execute("DROP INDEX wishlist_items_unmatched_idx")
    assert refusal(example, swap) == (None, None)
