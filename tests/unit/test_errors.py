"""What another program's error says first, also when it says nothing."""

from __future__ import annotations

import psycopg

from pgrehearse.errors import first_line


def test_the_first_line_of_several() -> None:
    assert first_line(psycopg.Error('relation "a" does not exist\nLINE 1: SELECT')) == (
        'relation "a" does not exist'
    )


def test_one_that_says_nothing_is_named() -> None:
    assert first_line(psycopg.OperationalError("\n")) == "OperationalError"
