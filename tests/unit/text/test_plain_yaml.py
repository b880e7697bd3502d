"""Front matter that YAML takes and a reader would misread is refused, at its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pgrehearse.errors import DocumentError
from pgrehearse.text.plain_yaml import check

FILE = Path("a.md")


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 4, "the key 'a' twice"),
        ("a:\n  b: 1\n  c:\n    - b: 1\n      b: 2\n", 6, "the key 'b' twice"),
        ("a: {b: 1, 'b': 2}\n", 2, "the key 'b' twice"),
        ("a: &x 1\nb: *x\n", 2, "an anchor or an alias"),
        ("a: &x [1]\n", 2, "an anchor or an alias"),
        ("a: 1\n? [b, c]\n: 2\n", 3, "a key that is no word"),
        ("a: 1\n? {b: c}\n: 2\n", 3, "a key that is no word"),
        ("a: " + "[" * 21 + "]" * 21 + "\n", 2, "nested more than 20 deep"),
        ("a: " + "x" * 50_001, 1, "more than 50,000 characters"),
    ],
)
def test_what_is_not_plain_is_refused(source: str, line: int, said: str) -> None:
    with pytest.raises(DocumentError, match=said) as error:
        check(source, FILE)
    assert (error.value.path, error.value.line) == (FILE, line)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "a: 1\nb: [a, a, {a: 1}]\nc: {a: 1, b: {a: 1}}\n",
        "- a: 1\n- a: 2\n",
        "a: " + "[" * 19 + "]" * 19 + "\n",
        "a: " + "x" * 49_990,
        "a: '*x &y'\n",
    ],
)
def test_what_is_plain_passes(source: str) -> None:
    check(source, FILE)


def test_what_is_no_yaml_is_said_by_yaml() -> None:
    with pytest.raises(yaml.YAMLError):
        check("a: [1\nb: 2\n", FILE)


def test_an_alias_is_not_followed() -> None:
    """A few lines of it would stand for a billion values."""
    lines = [f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(30)]
    bomb = "a0: &a0 [x, x]\n" + "".join(lines)
    with pytest.raises(DocumentError, match="an anchor or an alias"):
        check(bomb, FILE)
