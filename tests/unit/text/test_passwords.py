"""Passwords do not leave a statement, and what is no password stays."""

from __future__ import annotations

import pytest

from pgrehearse.text.passwords import redacted


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("CREATE ROLE r PASSWORD 'secret'", "CREATE ROLE r PASSWORD '***'"),
        (
            "ALTER USER r\nWITH ENCRYPTED password /* x */ 'a''b'",
            "ALTER USER r\nWITH ENCRYPTED password /* x */ '***'",
        ),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=x' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION '***' PUBLICATION p",
        ),
        ("SELECT dblink_connect('postgres://u:pw@h/d')", "SELECT dblink_connect('***')"),
        (
            "DO $$ BEGIN CREATE ROLE r PASSWORD 'secret'; END $$",
            "DO $$ BEGIN CREATE ROLE r PASSWORD '***'; END $$",
        ),
        ("SELECT 'password' AS label, 'postgres://h/d'", "SELECT 'password' AS label, 'postgres://h/d'"),
        ("CREATE ROLE r PASSWORD NULL", "CREATE ROLE r PASSWORD NULL"),
    ],
)
def test_redacted(sql: str, shown: str) -> None:
    assert redacted(sql) == shown


def test_in_a_message_about_the_statement() -> None:
    sql = "CREATE ROLE r PASSWORD 'secret'"
    assert redacted(sql, "syntax error near secret") == "syntax error near ***"
