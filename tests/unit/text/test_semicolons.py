"""Which semicolon ends a statement, and which COPY is fed by the client: as psql guesses both."""

from __future__ import annotations

import pytest

from pgrehearse.text.semicolons import CopyData, Depth
from pgrehearse.text.split import tokens


def opened(text: str) -> list[bool]:
    """For each semicolon of ``text``, whether it is hidden."""
    depth, found = Depth(), []
    for token in tokens(text):
        if token.kind == "semicolon":
            found.append(depth.open)
        elif token.kind not in ("space", "comment"):
            depth.see(token.kind, token.text)
    return found


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("SELECT 1;", [False]),
        ("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);", [True, False]),
        ("SELECT (1;", [True]),
        ("SELECT 1));", [False]),  # what was never opened closes nothing
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;", [True, True, False]),
        ("create or replace procedure f() begin atomic select 1; end;", [True, False]),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE a WHEN 1 THEN 2 END; END;", [True, False]),
        ("CREATE FUNCTION f() RETURNS int RETURN CASE WHEN a THEN 1 END;", [False]),
        (
            "CREATE FUNCTION f(a int DEFAULT (CASE WHEN b THEN 1 END)) RETURNS int BEGIN ATOMIC; END;",
            [True, False],
        ),
        ("CREATE TABLE begin (a int);", [False]),
        ("BEGIN;", [False]),
        ("CREATE VIEW function AS SELECT 1;", [False]),
        ('CREATE FUNCTION "begin"() RETURNS int RETURN 1;', [False]),
    ],
)
def test_a_semicolon_within_brackets_or_a_body_ends_nothing(text: str, hidden: list[bool]) -> None:
    assert opened(text) == hidden


@pytest.mark.parametrize(
    ("words", "through"),
    [
        ("COPY t FROM STDIN", True),
        ("copy t (a, b) to stdout WITH CSV", True),
        ("COPY (SELECT 1) TO STDOUT", True),
        ("COPY t FROM '/tmp/x'", False),
        ("COPY t TO PROGRAM 'cat'", False),
        ("SELECT * FROM stdin", False),
        ("INSERT INTO copy SELECT a FROM stdin", False),
        ("COPY stdin FROM '/tmp/x'", False),
    ],
)
def test_a_copy_whose_rows_the_client_sends_or_gets(words: str, through: bool) -> None:
    found = CopyData()
    for word in words.split():
        found.see(word)
    assert found.through_client is through
