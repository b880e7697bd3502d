"""psql variables: quoted values, and places where nothing is replaced."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.text.split import split, tokens
from pgrehearse.text.variables import quote_identifier, quote_literal, raw, substitute, used

HOSTILE = "x'); DROP TABLE wishlist_items;--"


@given(st.text())
def test_a_literal_is_one_string_token(value: str) -> None:
    if "\0" in value:
        with pytest.raises(ValueError, match="NUL"):
            quote_literal(value)
        return
    quoted = quote_literal(value)
    assert [t.kind for t in tokens(quoted.lstrip(" ") if "\\" in value else quoted)] == ["string"]
    inner = quoted.strip(" ")
    body = inner[2:-1].replace("\\\\", "\\") if inner.startswith("E'") else inner[1:-1]
    assert body.replace("''", "'") == value


@given(st.text(min_size=1))
def test_an_identifier_is_one_quoted_token(value: str) -> None:
    if "\0" in value:
        with pytest.raises(ValueError, match="NUL"):
            quote_identifier(value)
        return
    quoted = quote_identifier(value)
    assert [t.kind for t in tokens(quoted)] == ["quoted"]
    assert quoted[1:-1].replace('""', '"') == value


def test_an_identifier_cannot_be_empty() -> None:
    with pytest.raises(ValueError, match="empty"):
        quote_identifier("")


@given(st.text().filter(lambda value: "\0" not in value))
def test_a_value_never_makes_a_second_statement(value: str) -> None:
    sql = substitute("SELECT 1 FROM t WHERE a=:'v'AND b = :'v'", {"v": value})
    assert len(split(sql)) == 1


def test_substitution() -> None:
    sql = """SELECT :'v', :"t", ':v', ':''v''', ":'v'", $$:'v'$$, $q$:"t"$q$, a::"char", x[1:v], :v -- :'v'
/* :"t" */"""
    assert substitute(sql, {"v": HOSTILE, "t": 'a"b'}) == sql.replace(
        "SELECT :'v', :\"t\"", "SELECT 'x''); DROP TABLE wishlist_items;--', \"a\"\"b\""
    )


def test_a_value_is_not_read_again() -> None:
    assert substitute("SELECT :'a'", {"a": ":'b'", "b": "no"}) == "SELECT ':''b'''"


def test_backslashes_as_libpq_writes_them() -> None:
    assert quote_literal("a\\b'c") == " E'a\\\\b''c'"
    assert substitute("SELECT:'p'", {"p": "\\"}) == "SELECT E'\\\\'"


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="label"):
        substitute("SELECT :'label'", {})


def test_used_and_raw_with_lines() -> None:
    sql = "SELECT :'a',\n :\"b\", :c,\n :'a', ':d' -- :'e'"
    assert used(sql) == {"a": 1, "b": 2}
    assert raw(sql) == {"c": 2}
    assert raw("SELECT x[1:2], y::text, z := 1") == {"2": 1}
