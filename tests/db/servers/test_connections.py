"""Our own connections read times, whatever DateStyle the role or the database has."""

from __future__ import annotations

import psycopg
import pytest

from pgrehearse.connections import Opening, connect
from support.databases import execute, name_of


@pytest.mark.parametrize("style", ["German, DMY", "SQL, MDY", "Postgres", "ISO, DMY"])
def test_a_time_is_read_in_any_date_style(database: str, style: str) -> None:
    execute(database, f'ALTER DATABASE "{name_of(database)}" SET DateStyle = {style}')
    with connect(database) as connection:
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        (day,) = connection.execute("SELECT timestamptz '2026-03-04 05:06:07+00'").fetchone() or (None,)
        assert (day.month, day.day) == (3, 4)
    opening = Opening(database, "a test", "SELECT 1")
    made = opening.opened(20)
    assert made is not None
    assert made.execute("SELECT now() > timestamptz '2020-01-01 00:00+00', now()").fetchone() is not None
    opening.close()


def test_the_order_of_day_and_month_stays_the_roles(database: str) -> None:
    execute(database, f"ALTER DATABASE \"{name_of(database)}\" SET DateStyle = 'German, DMY'")
    with connect(database) as connection:
        (day,) = connection.execute("SELECT date '03/04/2026'").fetchone() or (None,)
    assert (day.month, day.day) == (4, 3)
