"""What to do about a database that cannot be reached, by what it said."""

from __future__ import annotations

import psycopg
import pytest

from pgrehearse.environments.direct import unreachable


@pytest.mark.parametrize(
    ("said", "next_step"),
    [
        ("FATAL:  the database system is starting up", "wait until it takes connections"),
        ("FATAL:  the database system is not yet accepting connections\nDETAIL:  x", "wait until"),
        ("FATAL:  sorry, too many clients already", "close connections"),
        ("FATAL:  remaining connection slots are reserved for roles with SUPERUSER", "close connections"),
        ('FATAL:  too many connections for role "app"', "close connections"),
        ("fe_sendauth: no password supplied", "PGPASSWORD"),
        ('FATAL:  password authentication failed for user "app"', "PGPASSWORD"),
        ("Connection refused\n\tIs the server running on that host?", "check that the server runs"),
        ("connection timeout expired", "check that the server runs"),
        ("FATAL:  unsupported startup parameter: options", "a pooler says this"),
        ('FATAL:  permission denied for database "shop"', "check the DSN, and the settings of its role"),
        ("FATAL:  das Datenbanksystem startet", "check the DSN, and the settings of its role"),
    ],
)
def test_what_to_do(said: str, next_step: str) -> None:
    error = unreachable(psycopg.OperationalError(f"connection failed: {said}"))
    assert said.split("\n")[0] in error.message
    assert next_step in (error.next_step or "")
