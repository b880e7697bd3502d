"""The mark of the environment is ours, in either form: it is no part of a definition."""

from __future__ import annotations

import pytest

from pgrehearse.schema.dump_text import split
from pgrehearse.schema.items import Item, items

HEADER = "--\n-- Name: {name}; Type: {type}; Schema: -; Owner: postgres\n--\n\n{sql};\n"
MARK = "[pgrehearse.environment=staging]"


def comment(literal: str) -> list[Item]:
    sql = f'COMMENT ON DATABASE "Shop" IS {literal}'
    return list(items(split(HEADER.format(name='DATABASE "Shop"', type="COMMENT", sql=sql))))


def test_a_comment_that_is_only_a_mark_is_none() -> None:
    assert comment(f"'{MARK}'") == []


@pytest.mark.parametrize(("with_mark", "without"), [
    (f"'Orders. {MARK}'", "'Orders.'"),
    (f"'It''s  {MARK}'", "'It''s '"),
    (f"E'a \\\\ b {MARK}'", "E'a \\\\ b'"),
])  # fmt: skip
def test_of_a_comment_with_a_text_only_the_text_counts(with_mark: str, without: str) -> None:
    (marked,), (plain,) = comment(with_mark), comment(without)
    assert marked == plain
    assert without in marked.sql
    assert (marked.object, marked.subject) == ("database", "comment")


@pytest.mark.parametrize("literal", ["'x'", f"'{MARK} x'", "'pgrehearse.environment=staging'"])
def test_another_comment_is_an_item(literal: str) -> None:
    assert [item.sql for item in comment(literal)] == [f'COMMENT ON DATABASE :"DBNAME" IS {literal}']


def test_a_mark_in_the_comment_on_a_table_is_a_comment() -> None:
    sql = f"COMMENT ON TABLE public.a IS '{MARK}'"
    (item,) = items(split(HEADER.format(name="TABLE a", type="COMMENT", sql=sql)))
    assert MARK in item.sql


def test_the_setting_is_no_item_and_others_are() -> None:
    def setting(name: str) -> list[Item]:
        sql = f"ALTER DATABASE \"Shop\" SET {name} TO 'staging'"
        return list(items(split(HEADER.format(name="Shop", type="DATABASE PROPERTIES", sql=sql))))

    assert setting('"pgrehearse.environment"') == []
    assert len(setting('"other.environment"')) == 1
