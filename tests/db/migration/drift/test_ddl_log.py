"""The log of DDL that came past the runner."""

from __future__ import annotations

import psycopg

from .bench import Bench, parts


def test_the_log_names_who_came_past_the_runner(applied: Bench) -> None:
    applied.run("check", "--install-log")
    applied.write("migrations/3_size.sql", "-- migrate:up\nALTER TABLE wish ADD size int;\n-- migrate:down\n")
    assert applied.run("up")[0] == 0
    assert parts(applied, "--only", "live")["drift"] is False
    applied.sql(
        "DROP INDEX wish_title_idx",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE TABLE other (a int)",
        "CREATE TABLE third (a int)",
        "DROP TABLE third",
    )
    drift = parts(applied, "--only", "live")["live"]
    assert [(one["who"], one["application"], one["statement"]) for one in drift["log"]] == [
        ("postgres", "by hand", "DROP INDEX wish_title_idx"),
        ("postgres", "by hand", "CREATE TABLE other (a int)"),
    ]
    with psycopg.connect(applied.dsn) as connection:
        logged = connection.execute("SELECT tag FROM pgrehearse.ddl ORDER BY id").fetchall()
    assert logged == [("DROP INDEX",), ("CREATE TABLE",), ("CREATE TABLE",), ("DROP TABLE",)]


def test_the_log_breaks_nothing_and_goes(applied: Bench) -> None:
    applied.run("check", "--install-log")
    applied.run("check", "--install-log")
    applied.sql("CREATE SCHEMA AUTHORIZATION stranger")
    applied.sql("CREATE TABLE theirs (a int)", user="stranger")  # who may not write the log
    applied.sql("DROP SCHEMA stranger CASCADE", "DROP TABLE pgrehearse.ddl", "CREATE TABLE other (a int)")
    applied.sql("DROP TABLE other")
    applied.run("check", "--remove-log")
    with psycopg.connect(applied.dsn) as connection:
        left = connection.execute("SELECT evtname FROM pg_event_trigger").fetchall()
    assert left == []
    assert parts(applied, "--only", "live")["drift"] is False
