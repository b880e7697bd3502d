"""Connection strings for the real dbmate."""

from __future__ import annotations

from pgrehearse.migration.trial import dbmate


def test_a_connection_string_as_dbmate_reads_it() -> None:
    assert dbmate.url("host=/run/x port=5433 user=a dbname=b") == (
        "postgres://a@:5433/b?sslmode=disable&socket=%2Frun%2Fx"
    )
    assert dbmate.url("host=db user='a b' password='p:/@' dbname=b sslmode=require") == (
        "postgres://a%20b:p%3A%2F%40@db:5432/b?sslmode=require"
    )
