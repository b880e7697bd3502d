"""Which settings a statement changes."""

from __future__ import annotations

import pytest

from pgrehearse.text.settings import Setting
from pgrehearse.text.statement import classify


@pytest.mark.parametrize(
    ("sql", "setting"),
    [
        ("SET lock_timeout = 0", Setting("lock_timeout", "0")),
        ("SET LOCAL lock_timeout='2s'", Setting("lock_timeout", "2s", local=True)),
        ("set\n\"Lock_Timeout\" to '2s'", Setting("lock_timeout", "2s")),
        ("SET/* */SESSION lock_timeout TO DEFAULT", Setting("lock_timeout")),
        ("SET statement_timeout = $$5 min$$", Setting("statement_timeout", "5 min")),
        ("SET extra_float_digits = -1", Setting("extra_float_digits", "-1")),
        ("SET app.who = 'it''s'", Setting("app.who", "it's")),
        ('SET search_path = app, "Other"', Setting("search_path", 'app,"Other"')),
        ("SET enable_seqscan TO off", Setting("enable_seqscan", "off")),
        ("SET TIME ZONE 'UTC'", Setting("timezone", "UTC")),
        ("SET LOCAL TIME ZONE LOCAL", Setting("timezone", None, local=True)),
        ("SET SCHEMA 'app'", Setting("search_path", "app")),
        ("SET ROLE app", Setting("role", "app")),
        ("SET role TO app", Setting("role", "app")),
        ("SET LOCAL SESSION AUTHORIZATION app", Setting("session_authorization", "app", local=True)),
        ("SET SESSION SESSION AUTHORIZATION DEFAULT", Setting("session_authorization")),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", Setting("characteristics")),
        ("SET CONSTRAINTS ALL DEFERRED", Setting("constraints", local=True)),
        ("RESET lock_timeout", Setting("lock_timeout")),
        ("RESET ALL", Setting("all")),
        ("RESET SESSION AUTHORIZATION", Setting("session_authorization")),
        ("SELECT set_config('lock_timeout', '2s', true)", Setting("lock_timeout", "2s", local=True)),
        ("SELECT pg_catalog.set_config('A.b', '1'::text, 'f')", Setting("a.b", "1")),
        ("SELECT set_config('a.b', NULL, false)", Setting("a.b")),
        ("SELECT set_config('a.b', 'x' || 'y', false)", Setting("a.b")),
    ],
)
def test_one_setting(sql: str, setting: Setting) -> None:
    assert classify(sql).settings == (setting,)


def test_several_at_once() -> None:
    sql = "SELECT set_config('a.b', '1', false), set_config('lock_timeout', '2s', true)"
    assert [(one.name, one.local) for one in classify(sql).settings] == [
        ("a.b", False),
        ("lock_timeout", True),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER ROLE r SET lock_timeout = 0",
        "UPDATE t SET lock_timeout = 0",
        "SELECT 'SET lock_timeout = 0'",
        "SHOW lock_timeout",
        "SELECT other.set_config('lock_timeout', '2s', true)",
    ],
)
def test_what_changes_no_setting(sql: str) -> None:
    assert classify(sql).settings == ()
