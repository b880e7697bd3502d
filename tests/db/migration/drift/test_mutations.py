"""Every change of a definition is seen, and nothing else is."""

from __future__ import annotations

import pytest

from pgrehearse.schema import differences, read
from support.shop import Shop

from .changes import CLUSTER, DRIFT, HARMLESS


def test_lists_are_as_long_as_promised() -> None:
    assert len(DRIFT) + len(CLUSTER) >= 60
    assert len(HARMLESS) >= 15


@pytest.mark.parametrize("name", DRIFT)
def test_drift_is_seen(shop: Shop, name: str) -> None:
    with shop.clone() as database:
        shop.run(database, DRIFT[name])
        found = read(shop.server.dsn(database))
    drift = differences(found, shop.schema)
    assert drift, f"{name}: missed"
    assert found != shop.schema
    assert all(one.why and one.object and one.sql for one in (*drift.only_left, *drift.only_right))


@pytest.mark.parametrize("name", CLUSTER)
def test_drift_of_roles_is_seen(shop: Shop, name: str) -> None:
    change, back = CLUSTER[name]
    with shop.clone() as database:
        shop.run(database, change)
        try:
            found = read(shop.server.dsn(database))
        finally:
            shop.run(database, back)
        assert differences(found, shop.schema), f"{name}: missed"
        assert not differences(read(shop.server.dsn(database)), shop.schema), f"{name}: not taken back"


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_change_is_no_drift(shop: Shop, name: str) -> None:
    with shop.clone() as database:
        shop.run(database, HARMLESS[name])
        drift = differences(read(shop.server.dsn(database)), shop.schema)
    assert not drift, [*drift.only_left, *drift.only_right]


def test_the_right_to_mark_a_database_is_no_drift(shop: Shop) -> None:
    """An owner may be granted it; like the mark it is ours, and the same in no two clusters."""
    with shop.clone() as database:
        shop.run(database, "GRANT SET ON PARAMETER pgrehearse.environment TO app_reader")
        try:
            assert not differences(read(shop.server.dsn(database)), shop.schema)
        finally:
            shop.run(database, "REVOKE SET ON PARAMETER pgrehearse.environment FROM app_reader")
