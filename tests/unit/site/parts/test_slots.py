"""Where a reader's values go in what was sent, and what is not followed."""

from __future__ import annotations

from pathlib import Path

from pgrehearse.site.parts.slots import Followed, Slot, follow
from pgrehearse.text.document import parse

PAGE = """\
---
parameters:
  table: {description: T, kind: relation, example: items}
  column: {description: C, kind: name, example: price}
  type: {description: Y, kind: type, example: bigint}
  label: {description: L, example: it's}
  condition: {description: S, kind: sql, example: price > 0}
  option: {description: O, example: "yes"}
---

## Apply

```sql
SELECT format('ALTER TABLE %s ADD CHECK (%s)', :'table'::regclass, :'condition'),
       format('COMMENT ON COLUMN %s.%I IS %L', :'table'::regclass, :'column', 'About ' || :'label'),
       format('ALTER TABLE %s ADD COLUMN %I %s', :'table'::regclass, :'column' || '_new', :'type'::regtype),
       format('CREATE TYPE'), format('SET work_mem = 64')
WHERE attname = :'column' AND :'option' = 'yes'
\\gexec
```
"""
DOCUMENT = parse(PAGE, Path("sample.md"))


def followed(text: str) -> Followed:
    return follow(text, DOCUMENT, DOCUMENT.cells)


def slots(text: str) -> list[tuple[str, str]]:
    """What each slot is made of, and how it is written."""
    return [
        ("".join(one if isinstance(one, str) else f"<{one[0]}>" for one in part.pieces), part.form)
        for part in followed(text).parts
        if isinstance(part, Slot)
    ]


def test_values_are_found_by_what_they_are() -> None:
    text = "ALTER TABLE items ADD CHECK (price > 0);\nCOMMENT ON COLUMN items.price IS 'it''s';"
    assert slots(text) == [
        ("<table>", "relation"),
        ("<condition>", "sql"),
        ("<table>", "relation"),
        ("<column>", "name"),
        ("<label>", "literal"),
    ]
    assert followed(text).sure
    assert "".join(one if isinstance(one, str) else one.text for one in followed(text).parts) == text


def test_names_are_made_of_values() -> None:
    assert slots("ALTER TABLE items ADD COLUMN price_new bigint") == [
        ("<table>", "relation"),
        ("<column>_new", "name"),
        ("<type>", "type"),
    ]
    assert slots("COMMENT ON COLUMN items.price IS 'About it''s'")[-1] == ("About <label>", "literal")


def test_the_schema_of_the_example_is_part_of_a_name() -> None:
    found = followed("ALTER TABLE public.items ADD COLUMN price bigint")
    assert found.parts[:2] == ("ALTER TABLE ", Slot("public.items", (("table",),), "relation"))


def test_what_came_from_the_tables_is_not_followed() -> None:
    for text in (
        "ALTER TABLE items ADD COLUMN other bigint",
        "ALTER TABLE items ADD COLUMN price_other bigint",
        "COMMENT ON COLUMN items.price IS 'of this table'",
        "ALTER TABLE items ADD CHECK (12 > 0)",
        "ALTER TABLE secret ADD COLUMN price bigint",
        "CREATE TYPE price",
        "ALTER TABLE items ADD CHECK (price::price)",
        "ALTER TABLE items -- of mine",
        "SET work_mem = E'x'",
        "ALTER TABLE items 'open",
    ):
        assert not followed(text).sure, text


def test_what_is_sent_as_written_has_no_slot() -> None:
    own = parse(
        PAGE.replace("SELECT format", "ALTER TABLE price ADD items int;\nSELECT format", 1), Path("x.md")
    )
    found = follow(
        "ALTER TABLE price ADD items int;\nALTER TABLE items ADD COLUMN price bigint;", own, own.cells
    )
    assert found.sure
    assert found.parts[0] == "ALTER TABLE price ADD items int;\nALTER TABLE "


def test_an_option_without_a_slot_decides() -> None:
    assert followed("ALTER TABLE items ADD CHECK (price > 0)").decides == ("label", "option", "type")


def test_an_index_named_alone_is_in_the_schema_of_its_table() -> None:
    page = PAGE.replace("format('CREATE TYPE')", "format('DROP INDEX CONCURRENTLY %I', :'column')")
    own = parse(page, Path("x.md"))
    assert follow("DROP INDEX CONCURRENTLY price", own, own.cells).indexed
    assert not followed("ALTER TABLE items ADD COLUMN price bigint").indexed
