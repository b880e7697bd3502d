"""Front matter: shapes that are taken, and messages with the line for all others."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.errors import DocumentError
from pgrehearse.text.front_matter import Database, FrontMatter, Parameter, read

PATH = Path("page.md")


def front(text: str) -> FrontMatter:
    return read(f"---\n{text}\n---\n\nbody\n", PATH)


def test_everything() -> None:
    found = front(
        """title: "A: b"
description: d
jupyter:
  jupytext:
    main_language: python
parameters:
  label: {description: What, example: it's, default: x}
  table:
    description: Which
    example: 'wishlist_items'
database: {rows: 100000}"""
    )
    assert (found.title, found.description, found.main_language, found.lines) == ("A: b", "d", "python", 13)
    assert found.parameters["label"] == Parameter("label", "What", "it's", "x")
    assert found.examples() == {"label": "it's", "table": "wishlist_items"}
    assert found.database == Database(rows=100000)


@pytest.mark.parametrize(
    "text", ["", "no front matter", "\n---\ntitle: T\n---\n", "---\ntitle: T\n", "----\ntitle: T\n----\n"]
)
def test_none(text: str) -> None:
    assert read(text, PATH) == FrontMatter()


def test_empty_values_are_empty() -> None:
    found = front("title:\ndescription:\njupyter:\nparameters:\ndatabase:")
    assert (found.title, found.description, found.parameters, found.database) == ("", "", {}, Database())


@pytest.mark.parametrize(("text", "wanted"), [("empty", Database(True, 0)), ("{rows: 0}", Database(rows=0))])
def test_databases(text: str, wanted: Database) -> None:
    assert front(f"database: {text}").database == wanted


@pytest.mark.parametrize(
    "value", ["x", "'0010'", "12", "2026-01-31", "-1", '"yes"', "1.5", "1e3", "''", "a: b".replace(": ", ":")]
)
def test_values_are_kept(value: str) -> None:
    assert front(f"parameters:\n  p: {{description: d, example: {value}}}").examples() == {
        "p": value.strip("'\"")
    }


@pytest.mark.parametrize(
    "value", ["010", "1.10", "yes", "true", "1_000", "0x1F", "~", "null", "", "[a]", "{a: b}"]
)
def test_values_yaml_would_change_are_refused(value: str) -> None:
    with pytest.raises(DocumentError, match="parameter 'p': example is not text") as caught:
        front(f"parameters:\n  p:\n    description: d\n    example: {value}")
    assert (caught.value.line, caught.value.next_step) == (3, "put it in quotes")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("title: a: b", 2, "front matter is not YAML"),
        ("title: a\nx: 2026-02-31", 1, "front matter is not YAML"),
        ("a:\n\tb: c", 3, "front matter is not YAML"),
        ("- a", 1, "front matter is not a mapping"),
        ("title: [a]", 2, "title is not text"),
        ("a: 1\njupyter: python", 3, "jupyter is not a mapping"),
        ("jupyter: {jupytext: x}", 2, "jupyter is not a mapping"),
        ("jupyter: {kernelspec: [x]}", 2, "jupyter is not a mapping"),
        ("parameters: [a]", 2, "parameters is not a mapping"),
        ("parameters: {Label: {description: d, example: e}}", 1, "'Label' is no identifier"),
        ("parameters:\n  p: x", 3, "lacks a description or an example"),
        ("parameters:\n  p: {example: x}", 3, "lacks a description or an example"),
        ("parameters:\n  p: {description: d, example: x, type: y}", 3, "unknown key 'type'"),
        ("database: full", 2, "neither `empty` nor"),
        ("database: {rows: -1}", 2, "neither `empty` nor"),
        ("database: {rows: true}", 2, "neither `empty` nor"),
        ("database: {rows: 1, x: 2}", 2, "neither `empty` nor"),
        ("former: key", 2, "former is no mapping"),
        ("former: {key: }", 2, "former is no mapping"),
        (
            "former: {p: why}\nparameters:\n  p: {description: d, example: x}",
            2,
            "a parameter, and a former one",
        ),
        ("programs: pgbouncer", 2, "programs is no list of names"),
        ("programs: {pgbouncer: 1}", 2, "programs is no list of names"),
        ("programs: [../pgbouncer]", 2, "programs is no list of names"),
        ("programs: [-x]", 2, "programs is no list of names"),
        ("programs: [[a]]", 2, "programs is no list of names"),
    ],
)
def test_refused(text: str, line: int, message: str) -> None:
    with pytest.raises(DocumentError, match=message) as caught:
        front(text)
    assert caught.value.line == line
    assert caught.value.next_step


YAML = st.recursive(
    st.sampled_from(["x", "1", "~", "[a]", "{}", "2026-02-31", "*a", "&a x", "!!int x", "!x y", "'", "<<"]),
    lambda inner: st.builds(
        "{{{}: {}}}".format, st.sampled_from(["a", "jupytext", "rows", "example"]), inner
    ),
    max_leaves=3,
)


def test_programs_are_a_list_of_names() -> None:
    assert front("programs: [pgbouncer, g++, pgbouncer-1.18]").programs == (
        "pgbouncer",
        "g++",
        "pgbouncer-1.18",
    )
    assert front("title: a").programs == front("programs:").programs == ()


@given(
    st.sampled_from(["title", "jupyter", "parameters", "database", "programs", "former", "parameters:\n  p"]),
    YAML,
)
def test_never_a_traceback(key: str, value: str) -> None:
    try:
        front(f"{key}: {value}")
    except DocumentError as error:
        assert error.line
        assert error.next_step
