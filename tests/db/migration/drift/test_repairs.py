"""The SQL that ``db check`` shows for drift puts it right, or is not written with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgrehearse.migration.drift.repairs import BEFORE, Repair, repair
from pgrehearse.schema import Schema, differences, read
from pgrehearse.servers import Server
from support.databases import execute, fresh, name_of
from support.shop import SUBSCRIPTIONS, Shop

from .changes import DRIFT
from .odd import SAID, UNDONE

#: Changes that are made in one database: each look at one costs a dump.
_AT_ONCE = 32


@dataclass
class _Copies:
    """Copies on the test's own server."""

    server: Server
    made: list[str] = field(default_factory=list)

    def clone(self, name: str) -> str:
        copy = f"{name}_copy"
        execute(self.server.dsn(), f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
        self.made.append(copy)
        return copy

    @contextmanager
    def attempt(self, name: str) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.server.dsn(name), autocommit=True, prepare_threshold=None) as connection:
            connection.execute(f"{BEFORE}; SET session_replication_role = replica".encode())
            yield connection

    def read(self, name: str, named: set[str]) -> Schema:
        return read(self.server.dsn(name))

    def missing(self, error: psycopg.Error) -> bool:
        return False

    def as_live(self) -> bool:
        return False

    def drop(self) -> None:
        for name in self.made:
            with psycopg.connect(self.server.dsn(name), autocommit=True) as connection:
                for (one,) in connection.execute(SUBSCRIPTIONS, [name]).fetchall():
                    connection.execute(f"DROP SUBSCRIPTION {one}".encode())
            execute(self.server.dsn(), f'DROP DATABASE "{name}"')


@dataclass(frozen=True)
class Odd:
    """A database with what ``odd.sql`` makes beside the shop, and its schema."""

    shop: Shop
    name: str
    schema: Schema

    @contextmanager
    def clone(self) -> Iterator[str]:
        with fresh(self.shop.server, template=self.name, prefix="odd") as dsn:
            yield name_of(dsn)


@pytest.fixture(scope="module")
def odd(shop: Shop) -> Iterator[Odd]:
    with shop.clone() as name:
        dsn = shop.server.dsn(name)
        execute(dsn, Path(__file__).with_name("odd.sql").read_text("utf-8"))
        yield Odd(shop, name, read(dsn))


def _changed(dsn: str, changes: Mapping[str, str], name: str, *, apart: bool = False) -> list[str]:
    """Make as many of the changes as go together in one database; their names.

    Args:
        apart: a new name is the last of them: it hides what else is changed.
    """
    made = []
    for change, text in changes.items():
        with suppress(psycopg.Error), psycopg.connect(dsn) as connection:
            for statement in text.replace("{database}", name).splitlines():
                connection.execute(statement.encode())
            connection.commit()
            made.append(change)
        if len(made) == _AT_ONCE or (apart and " renamed" in change):
            break
    return made


def _repaired(
    server: Server, name: str, pristine: str, wanted: Schema
) -> tuple[Repair, set[tuple[str, str]]]:
    """What is shown for the database, and which differences stay once it was carried out."""
    copies = _Copies(server)
    try:
        shown = repair(copies, pristine, read(server.dsn(name)), wanted, set()).on(name)
    finally:
        copies.drop()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute(BEFORE.encode())
        for one in shown.statements:
            connection.execute(one.sql.encode())
    return shown, set(differences(read(server.dsn(name)), wanted).subjects)


def _silent(shown: Repair, left: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Differences that stay and of which nothing was said."""
    said = {(one.object, one.subject) for one in shown.unwritten}
    whole = {one.object for one in shown.unwritten if one.subject in ("table", "sequence", "subscription")}
    return {key for key in left if key not in said and key[0] not in whole}


def test_each_change_is_undone_by_what_is_shown(odd: Odd) -> None:
    todo = dict(UNDONE)
    assert len(todo) >= 60
    while todo:
        with odd.clone() as name, odd.clone() as pristine:
            made = _changed(odd.shop.server.dsn(name), todo, name, apart=True)
            assert made, f"none of these can be made: {[*todo]}"
            shown, left = _repaired(odd.shop.server, name, pristine, odd.schema)
        assert not left, (made, left, shown.unwritten)
        assert not shown.unwritten, made
        todo = {change: text for change, text in todo.items() if change not in made}


def test_what_loses_something_is_said_and_not_written(odd: Odd) -> None:
    with odd.clone() as name, odd.clone() as pristine:
        changes = {change: text for change, (text, _) in SAID.items()}
        assert _changed(odd.shop.server.dsn(name), changes, name) == [*SAID]
        shown, left = _repaired(odd.shop.server, name, pristine, odd.schema)
    assert not _silent(shown, left)
    reasons = " | ".join(one.reason for one in shown.unwritten)
    assert [change for change, (_, words) in SAID.items() if words not in reasons] == []
    assert "DROP" not in " ".join(one.sql for one in shown.statements)


def test_nothing_stays_in_silence(shop: Shop) -> None:
    """Of all changes that are seen: what is shown works in its order, and what stays has a reason."""
    if shop.server.major != 18:
        pytest.skip("one major is enough for what does not depend on it")
    alone = "extension member"  # it moves with its extension, which others move
    groups = [{name: text for name, text in DRIFT.items() if name != alone}, {alone: DRIFT[alone]}]
    for group in groups:
        todo = group
        for _ in range(12):
            with shop.clone() as name, shop.clone() as pristine:
                made = _changed(shop.server.dsn(name), todo, name)
                shown, left = _repaired(shop.server, name, pristine, shop.schema)
            assert not _silent(shown, left), (made, _silent(shown, left))
            todo = {change: text for change, text in todo.items() if change not in made}
            if not todo:
                break
        assert len(todo) <= 2, [*islice(todo, 5)]


def test_code_of_the_live_database_is_not_run(odd: Odd) -> None:
    """A function that only the live database has would be called by an index that is made on the copy."""
    change = (
        'CREATE FUNCTION "O o".ours(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS'
        " $$BEGIN PERFORM pg_catalog.set_config('odd.ran', 'yes', false); RETURN 1; END$$;"
        ' CREATE INDEX ran ON "O o".part (("No" + "O o".ours(1)))'
    )
    with odd.clone() as name, odd.clone() as pristine:
        execute(odd.shop.server.dsn(name), change)
        found = read(odd.shop.server.dsn(name))
        copies = _Copies(odd.shop.server)
        try:
            shown = repair(copies, pristine, found, odd.schema, set())
            bodies = execute_one(odd.shop.server.dsn(copies.made[0]))
        finally:
            copies.drop()
    assert [one.sql for one in shown.statements][-1].startswith('DROP FUNCTION "O o".ours')
    assert bodies == 0


@pytest.mark.parametrize(
    "change",
    [
        "CREATE FUNCTION public.loads() RETURNS int LANGUAGE c AS '$libdir/hstore', 'hstore_in'",
        "CREATE SUBSCRIPTION waits CONNECTION 'host=127.0.0.1 port=9' PUBLICATION p"
        " WITH (connect = false, slot_name = NONE)",
        "ALTER DATABASE {database} SET session_preload_libraries = 'citext'",
    ],
)
def test_what_reaches_outside_is_not_carried_out(odd: Odd, change: str) -> None:
    """A copy never connects to a publisher, and loads no library that the live database names."""
    with odd.clone() as name, odd.clone() as pristine:
        dsn = odd.shop.server.dsn(name)
        execute(dsn, change.format(database=name))
        copies = _Copies(odd.shop.server)
        try:
            shown = repair(copies, pristine, read(dsn), odd.schema, set())
        finally:
            copies.drop()
            if "SUBSCRIPTION" in change:
                execute(dsn, "DROP SUBSCRIPTION waits")
    assert shown.unwritten
    assert shown.statements == ()


def test_a_name_cannot_leave_its_comment(odd: Odd) -> None:
    with odd.clone() as name, odd.clone() as pristine:
        dsn = odd.shop.server.dsn(name)
        execute(dsn, 'CREATE TABLE "x\rSELECT 1;\nSELECT 2; --" (a int)')
        copies = _Copies(odd.shop.server)
        try:
            shown = repair(copies, pristine, read(dsn), odd.schema, set())
        finally:
            copies.drop()
    assert "\r" not in shown.script
    assert all(line.startswith("--") for line in shown.script.splitlines() if "SELECT" in line)


def execute_one(dsn: str) -> int:
    """How many functions of the copy hold the live database's code."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM pg_proc WHERE prosrc LIKE '%odd.ran%'").fetchone()
    assert row is not None
    return int(row[0])
