"""What a snapshot costs a production database: no lock that anybody feels, and little time of its server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgrehearse.status import snapshot
from pgrehearse.status.fact import Fact, Known
from support.databases import Owned, execute
from support.majors import OLD_AND_NEW
from support.promotions import Stage, staged
from support.snapshots import Seen, place_of

_TABLES = """
SELECT format('%%I.%%I', n.nspname, c.relname)
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND (n.nspname LIKE 'pgrehearse%%') = %s
   AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
   AND (n.nspname = 'public' AND c.relname = 'schema_migrations') = false
"""


def lock_all(connection: psycopg.Connection[Any], ours: bool, mode: str) -> int:
    """Lock every table of the application, or every one of pgrehearse, in ``mode``; how many there are."""
    names = [name for (name,) in connection.execute(_TABLES, [ours]).fetchall()]
    for name in names:
        connection.execute(f"LOCK TABLE {name} IN {mode} MODE".encode())
    return len(names)


def test_no_lock_above_access_share(seen: Seen) -> None:
    """Of the application's tables none is touched, whoever holds what; ours are read beside any writer."""
    seen.migration(
        1, "CREATE TABLE shop (id int PRIMARY KEY, at date DEFAULT now()) PARTITION BY RANGE (id);"
    )
    seen.migration(
        2, "CREATE TABLE a PARTITION OF shop FOR VALUES FROM (1) TO (9); CREATE INDEX ON shop (at);"
    )
    seen.migration(3, "CREATE TABLE b (at date); ALTER TABLE b ADD CHECK (at > '2000-01-01') NOT VALID;")
    seen.up()
    with psycopg.connect(seen.dsn) as connection:
        assert lock_all(connection, ours=False, mode="ACCESS EXCLUSIVE") == 3
        assert lock_all(connection, ours=True, mode="EXCLUSIVE") == 2
        connection.execute("LOCK TABLE public.schema_migrations IN EXCLUSIVE MODE")
        seen.place = place_of(seen.dsn, without=())
        assert seen.unknown().keys() == {"drift"}
        assert seen.said("leftovers")
    # The counterproof: a lock that is in the way makes a fact unknown, in time and with the reason.
    with psycopg.connect(seen.dsn) as connection:
        lock_all(connection, ours=True, mode="ACCESS EXCLUSIVE")
        unknown = seen.unknown()
    assert unknown.keys() == {"drift", "last", "migrations", "backup"}
    assert "lock timeout" in unknown["last"]


def test_promotions_are_read_beside_whoever_writes_them(owned: Owned, tmp_path: Path) -> None:
    with staged(owned.server) as stage:
        stage.request()
        seen = Seen(tmp_path, stage.dsn)
        seen.place = place_of(stage.dsn, mark="production")
        with psycopg.connect(stage.dsn) as connection:
            assert lock_all(connection, ours=True, mode="EXCLUSIVE") > 5
            assert isinstance(seen.fact("promotion"), Known)


@pytest.mark.parametrize("status_server", OLD_AND_NEW[-1:], indirect=True)
def test_a_snapshot_takes_a_tenth_of_a_second_of_its_server(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock of its backend's processor: 500 tables, 1,500 constraints and indexes, 60 migrations."""
    execute(
        seen.dsn,
        """
        DO $$ BEGIN FOR n IN 1..500 LOOP
            EXECUTE format('CREATE TABLE t%1$s (id int PRIMARY KEY, at date NOT NULL DEFAULT now(),
                c int CHECK (c > 0)); CREATE INDEX ON t%1$s (at)', n);
        END LOOP; END $$
        """,
    )
    for number in range(10, 70):
        seen.migration(number, "SELECT 1;")
    seen.up()
    execute(seen.dsn, "VACUUM ANALYZE")
    spent: list[float] = []
    real = snapshot.reached

    class Measured:
        """`reached`, and what its backend had used when the last fact was read."""

        def __init__(self, *given: Any, **named: Any) -> None:
            self.inner = real(*given, **named)

        def __enter__(self) -> psycopg.Connection[Any]:
            self.connection = self.inner.__enter__()
            return self.connection

        def __exit__(self, *how: Any) -> None:
            used = Path(f"/proc/{self.connection.info.backend_pid}/schedstat").read_text("ascii")
            spent.append(int(used.split()[0]) / 1e6)
            self.inner.__exit__(*how)

    monkeypatch.setattr(snapshot, "reached", Measured)
    facts: dict[str, Fact] = {}
    for _ in range(5):
        facts = seen.facts()
    assert facts["migrations"].said == "60 applied"
    assert min(spent) < 100, spent
    assert min(spent) > 0.1  # it was measured


def test_a_promotion_is_read(owned: Owned, tmp_path: Path) -> None:
    """Whom it waits for, from the request to the end."""
    with staged(owned.server) as stage:
        seen = Seen(tmp_path, stage.as_("vic"))
        seen.place = _of(stage)
        assert seen.fact("promotion").said == "none yet"
        number, plan = stage.request()
        assert seen.fact("promotion").said == f"{number} requested, 0 of 1 approvals"
        (said,) = seen.said("promotion")
        assert said.endswith(f"it waits for 1 approval by {stage.who('dora')} or {stage.who('dan')}")
        stage.approve("dora", number, plan)
        (said,) = seen.said("promotion")
        assert said.endswith(f"it waits for {stage.who('ron')}")
        with stage.applying() as session:
            session.execute("SELECT pgrehearse_promotion.start(%s, %s, %s)", [number, plan, stage.gates()])
            assert seen.fact("promotion").said == f"{number} applying, 0 of 2 steps"
            assert seen.said("promotion") == []
        (said,) = seen.said("promotion")
        assert "begun, and nobody is at work" in said
        with stage.applying() as session:
            session.execute("SELECT pgrehearse_promotion.stop(%s, 'a disk is full')", [number])
        (said,) = seen.said("promotion")
        assert "stopped: a disk is full" in said


def _of(stage: Stage) -> Any:
    environment = stage.environment
    return place_of(
        stage.as_("vic"), mark="production", members=environment.members, without=environment.without
    )
