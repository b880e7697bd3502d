"""Every rule of the example is explained twice: in the file, and in the database."""

from __future__ import annotations

import re
import textwrap

from support.example import FILES, Connection, read_migration

#: Inline, directly above the definition, and the same words in the database.
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
