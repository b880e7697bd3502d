"""``pgrehearse status``: what it prints, what a shell is told, and what stops it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import jsonschema
import pytest

from pgrehearse.servers import Server
from pgrehearse.status import as_json
from support.bench import Bench
from support.databases import execute
from support.processes import Ended
from support.waiting import LIMIT
from support.ways import Way, way_on


@pytest.fixture
def way(server: Server, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """One migration, applied in development; promotion is installed in staging."""
    with way_on(server, bench, monkeypatch) as made:
        made.migration(1, "CREATE TABLE shop (id int);")
        made.declare()
        made.good("postgres", "install", "staging")
        made.up()
        made.as_("postgres")
        yield made


def status(way: Way, *words: str) -> Ended:
    return way.bench.call("status", *words)


def cells(ended: Ended, way: Way, mark: str) -> list[str]:
    """The row of an environment."""
    (line,) = [one for one in ended.out.splitlines() if one.startswith(f"{way.name(mark)}  ")]
    return [cell.strip() for cell in line.split("  ") if cell]


def test_a_line_for_each_environment(way: Way) -> None:
    ended = status(way)
    assert ended.status == 69, ended.said
    version = way.server.version
    assert cells(ended, way, "development") == [
        way.name("development"),
        "unknown",
        version,
        "1 applied",
        "comes first",
        "nothing",
        "unknown",
        "not asked for",
    ]
    assert "not installed" in cells(ended, way, "production")[4]
    assert f"{way.name('production')}: promotion: promotion is not installed in this database" in ended.out
    assert f"{way.name('staging')}: drift: unknown: not compared yet; never seen" in ended.out
    assert "next: pgrehearse status --drift compares it now" in ended.out


def test_all_is_well_and_then_it_is_not(way: Way) -> None:
    name = way.name("development")
    ended = status(way, name, "--drift")
    assert ended.status == 0, ended.said
    execute(way.databases["development"].dsn, "ALTER TABLE shop ADD CHECK (id > 0) NOT VALID")
    ended = status(way, name)
    assert ended.status == 1, ended.said
    assert "leftovers: constraint shop_id_check on public.shop is NOT VALID" in ended.out


def test_one_that_is_down_hides_no_other(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    status(way)
    monkeypatch.setenv(way.variable("production"), "host=127.0.0.1 port=1 dbname=shop password=topsecret")
    monkeypatch.delenv(way.variable("staging"))
    ended = status(way)
    assert ended.status == 69
    assert cells(ended, way, "production")[1:] == ["unknown"] * 7
    assert "1 applied" in cells(ended, way, "development")
    assert f"{way.name('production')}: nothing is known: the database cannot be reached" in ended.out
    assert "last seen " in ended.out
    assert f"{way.variable('staging')} is not set" in ended.out
    assert "topsecret" not in ended.said


def test_json_is_what_the_schema_says(way: Way) -> None:
    ended = status(way, "--json")
    value = json.loads(ended.out)
    jsonschema.validate(value, as_json.schema())
    assert ended.status == 69
    assert [one["environment"] for one in value["databases"]] == [
        way.name(mark) for mark in ("development", "staging", "production")
    ]
    assert value["databases"][1]["facts"]["promotion"]["value"]["state"] is None


def test_the_databases_of_a_group(way: Way) -> None:
    one, other = way.databases["staging"].name, way.databases["production"].name
    way.declare(staging=f"groups = {{ eu = [{json.dumps(one)}, {json.dumps(other)}, 'nothing'] }}")
    ended = status(way, way.name("staging"))
    assert ended.status == 69
    assert f"{way.name('staging')}, 3 databases of its groups: 1 unknown, 1 attention, 1 well" in ended.out
    place = f"{way.name('staging')}/{other}"
    assert f"{place}: server: the database is marked production, not staging" in ended.out
    assert f"{way.name('staging')}/nothing: nothing is known" in ended.out


def test_a_page_in_one_file(way: Way) -> None:
    execute(way.databases["development"].dsn, 'CREATE TABLE "<script>" (id int)')
    execute(way.databases["development"].dsn, 'ALTER TABLE "<script>" ADD CHECK (id > 0) NOT VALID')
    ended = status(way, "--html", "status.html")
    assert (ended.status, ended.out) == (69, "wrote status.html\n")
    text = (way.bench.root / "status.html").read_text("utf-8")
    assert "&#34;&lt;script&gt;&#34; is NOT VALID" in text
    assert "<script" not in text
    nowhere = status(way, "--html", "nothing/status.html")
    assert (nowhere.status, "cannot be written" in nowhere.err) == (69, True)


def test_watching_goes_on_until_it_is_ended(way: Way) -> None:
    process = way.bench.start("status", "--watch", "--every", "0.1")
    assert process.stdout is not None
    heads = 0
    while heads < 3:
        line = process.stdout.readline()
        assert line
        heads += line.startswith("environment ")
    process.terminate()
    process.communicate(timeout=LIMIT)
    assert process.returncode == 130


def test_what_is_refused(way: Way) -> None:
    both = status(way, "--json", "--watch")
    assert (both.status, "choose one" in both.err) == (2, True)
    nothing = status(way, "nowhere")
    assert (nothing.status, "no environment is called 'nowhere'" in nothing.err) == (69, True)
    assert status(way, "--deadline", "0").status == 2


def test_hostile_names_do_nothing_to_a_terminal(way: Way) -> None:
    dsn = way.databases["development"].dsn
    execute(dsn, 'CREATE TABLE "\x1b[2J<b>\u202e" (id int)')
    execute(dsn, 'ALTER TABLE "\x1b[2J<b>\u202e" ADD CONSTRAINT c CHECK (id > 0) NOT VALID')
    ended = status(way, way.name("development"))
    assert "\x1b" not in ended.out
    assert "\u202e" not in ended.out
    assert "<b>" in ended.out
