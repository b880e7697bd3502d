"""What migrations cost: from the ledger, beside each other, and on many rows against a budget."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

from pgrehearse.errors import ExpectationError
from pgrehearse.migration.timing import costs
from pgrehearse.migration.timing.budgets import exceeded, load
from pgrehearse.migration.timing.volume import rehearse
from pgrehearse.servers import Server
from pgrehearse.text import migration_files
from pgrehearse.text.project import Project
from support.places import Place, place_at
from support.waiting import LIMIT

TABLE = "CREATE TABLE thing (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);"
SEED = "INSERT INTO thing SELECT generate_series(1, :'rows'::int);\n"
WIDER = "ALTER TABLE thing ALTER n TYPE bigint;"
NARROW = "ALTER TABLE thing ALTER n TYPE int;"


def test_attempts_costs_and_undoing_are_told_from_the_ledger(place: Place) -> None:
    place.write(1, TABLE, "DROP TABLE thing;")
    place.write(2, "INSERT INTO thing VALUES (1);\nSELECT 1 / 0;", "DELETE FROM thing;")
    place.refused(ExpectationError)
    place.write(2, f"INSERT INTO thing VALUES (1);\n{WIDER}", "DELETE FROM thing;")
    place.up()
    first, second = costs.read(place.dsn)
    assert (first.attempts, second.attempts, second.who) == (1, 2, "postgres")
    assert [cost.rows for cost in second.costs] == [1, None]
    assert second.rewritten == ("thing",)
    assert second.milliseconds == sum(cost.milliseconds or 0 for cost in second.costs) > 0
    place.down()
    assert [one.version for one in costs.read(place.dsn)] == ["1"]
    place.up()
    assert costs.read(place.dsn)[-1].attempts == 1


def test_the_command_shows_one_database_and_several(
    place: Place, tmp_path: Path, fresh: Callable[[], str]
) -> None:
    place.write(1, TABLE)
    place.write(2, WIDER)
    place.up()
    status, out, _ = place.command("timing", "--statements")
    assert status == 0
    assert out.split("\n")[0].split() == "migration time lock wait WAL rows tries rewrote".split()  # noqa: SIM905
    assert any(line.startswith("2_step") and line.endswith("thing") for line in out.splitlines())
    assert "  :3 ALTER TABLE thing ALTER n TYPE bigint" in out

    (tmp_path / "other").mkdir()
    with place_at(tmp_path / "other", fresh()) as other:
        other.write(1, TABLE)
        other.up()
        svg = tmp_path / "chart.svg"
        words = ["timing", "--dsn", f"here={other.dsn}", "--svg", str(svg)]
        process = place.start(*words)  # start() adds --dsn for the place itself
        out, err = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, err
        head, one, two = out.splitlines()
        assert head.split() == ["migration", "here", "test"]
        assert one.split()[0] == "1_step" and one.count("ms") == 2
        assert two.split()[:2] == ["2_step", "-"] and two.count("ms") == 1
    drawn = ElementTree.parse(svg).getroot()  # noqa: S314
    assert len(drawn.findall("{http://www.w3.org/2000/svg}rect")) == 3
    assert place.command("timing", "--dsn", place.dsn)[0] == 2  # two databases, one name


def test_json_has_every_cost(place: Place) -> None:
    place.write(1, TABLE)
    place.up()
    ((name, (one,)),) = json.loads(place.command("timing", "--json")[1]).items()
    assert (name, one["version"], one["attempts"]) == ("test", "1", 1)
    assert one["statements"][0]["wal_bytes"] > 0


def test_what_another_tool_applied_was_not_measured(place: Place) -> None:
    place.write(1, TABLE)
    place.execute(
        "CREATE TABLE public.schema_migrations (version varchar(128) PRIMARY KEY);"
        "INSERT INTO public.schema_migrations VALUES ('1');"
    )
    place.up()
    assert "by another tool" in place.command("timing")[1]


# On many rows.


def _volume(place: Place) -> tuple[int, str]:
    """``timing --rehearse`` of the place's own migrations: exit status, and all that it says."""
    (place.root / "db" / "seed.sql").write_text(SEED, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pgrehearse", "db", "timing", "--rehearse", "--rows", "3000"],
        cwd=place.root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_an_undeclared_rewrite_is_red_and_a_declared_one_is_green(place: Place) -> None:
    place.write(1, TABLE, "DROP TABLE thing;")
    place.write(2, f"-- why\n{WIDER}", NARROW)
    status, said = _volume(place)
    assert status == 1
    statement = "error: db/migrations/2_step.sql:4: ALTER TABLE thing ALTER n TYPE bigint"
    assert f"{statement}: rewrites thing, undeclared" in said
    assert "1 migrations on 3,000 rows: 1 over budget" in said
    budgets = place.root / "db" / "budgets.toml"
    budgets.write_text("[2_step]\nrewrites = ['thing']\nreason = 'small'\n", "utf-8")
    status, said = _volume(place)
    assert (status, "all within their budgets" in said) == (0, True), said


def test_a_statement_over_its_time_is_red(place: Place) -> None:
    place.write(1, TABLE, "DROP TABLE thing;")
    place.write(2, "UPDATE thing SET n = 1;", "UPDATE thing SET n = 0;")
    (place.root / "db" / "budgets.toml").write_text("milliseconds = 0.001\n", "utf-8")
    status, said = _volume(place)
    assert status == 1
    assert "db/migrations/2_step.sql:3: UPDATE thing SET n = 1:" in said and "budget 0.001 ms" in said


def test_what_cannot_be_undone_with_rows_ends_the_way_back(place: Place) -> None:
    place.write(1, TABLE, "DROP TABLE thing;")
    place.write(2, WIDER, "DELETE FROM thing;")
    place.write(3, "SELECT 1;", None)
    status, said = _volume(place)
    assert status == 0 and "3_step cannot be undone" in said and "nothing compared" in said
    place.write(3, "SELECT 1;", "")
    assert "undoing 2_step would lose rows of thing" in _volume(place)[1]


def test_the_example_rewrites_nothing_undeclared(server: Server, repository: Project) -> None:
    """The rule of ``make budget`` on few rows; time is compared there, on a million."""
    files = migration_files.load(repository.migrations)
    volume = rehearse(server, repository, files, 2000, lambda line: None)
    assert len(volume.versions) >= 8
    budgets = load(repository.migrations.parent / "budgets.toml", files)
    found = exceeded(budgets, volume.timings, files, volume.versions)
    assert [str(one) for one in found if "ms, budget" not in one.message] == []
