"""The served pages, asked without a server: who is answered, what they show, what browsers may do with it."""

from __future__ import annotations

import base64
import json
import operator
import re
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import jsonschema
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from pgrehearse import clock
from pgrehearse.dashboard import app as app_module
from pgrehearse.dashboard import latest as latest_module
from pgrehearse.dashboard.app import made
from pgrehearse.dashboard.guard import Guard, host_of
from pgrehearse.dashboard.latest import Latest
from pgrehearse.errors import SetupError
from pgrehearse.status import as_json
from pgrehearse.status.fact import Known, Level, Unknown
from pgrehearse.status.migrations import Last, Migrations
from pgrehearse.status.snapshot import Snapshot, unseen
from support import ROOT
from support.asgi import Answer, ask
from support.samples_of_status import AT, VALUES, snapshot
from support.snapshots import place_of

_TOKEN = "a-token-of-many-letters"  # noqa: S105 - of a test


def latest(*found: Snapshot) -> Latest:
    one = Latest(lambda: found, 30.0)
    one.once()
    return one


def app(*found: Snapshot, token: str = "") -> Guard:
    return Guard(made(latest(*found)), {"localhost", "127.0.0.1", "::1"}, token)


@pytest.fixture
def served() -> Guard:
    dead = Snapshot(place_of("", "dead"), AT, 5.0, unseen(place_of("", "dead"), "it is dead", "look"))
    return app(snapshot(1), snapshot(0, "shop_1"), dead)


# --- who is answered -------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "localhost:8420", "127.0.0.1:1", "[::1]:8420", "LOCALHOST:9"])
def test_hosts_of_ours(served: Guard, host: str) -> None:
    assert ask(served, host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "", "localhost@evil.example", "evil.example#localhost",
     "localhost:x", "192.0.2.1", "localhost/", "127.0.0.1.nip.io:8420", "[::1", "localhost,evil.example"],
)  # fmt: skip
def test_a_name_that_was_made_to_lead_here_is_refused(served: Guard, host: str) -> None:
    answer = ask(served, host=host)
    assert (answer.status, "not served here" in answer.text) == (421, True)


def test_what_is_no_host() -> None:
    assert host_of("localhost:1") == "localhost"
    assert host_of("[::1]:1") == "::1"
    assert {host_of(given) for given in ("", "a@b", "a/b", "a?b", "a#b", "a:b", "[::1")} == {""}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_nothing_can_be_changed(served: Guard, method: str) -> None:
    for path in ("/", "/metrics", "/status.json", "/nothing"):
        answer = ask(served, path, method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_pages_of_other_sites_are_refused(served: Guard) -> None:
    def asked(**headers: str) -> int:
        return ask(served, "/status.json", **headers).status

    assert asked(origin="https://evil.example") == 403
    assert asked(origin="http://localhost:2") == 403
    assert asked(origin="null") == 403
    assert asked(origin="http://localhost:1") == 200
    assert asked(sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == 403
    assert asked(sec_fetch_site="cross-site", sec_fetch_mode="cors") == 403
    assert asked(sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 200  # somebody follows a link
    assert asked(sec_fetch_site="same-origin", sec_fetch_mode="cors") == 200


@pytest.mark.parametrize(
    "path", ["/", "/database/shop", "/database/shop/dead", "/database/shop%2Fdead", "/migration/1"]
)
@pytest.mark.parametrize("below", ["", "/tools/pg%20status"])
def test_every_link_leads_somewhere_below_the_path_of_a_proxy(served: Guard, path: str, below: str) -> None:
    page = ask(served, path)
    assert page.status == 200
    links = re.findall(r'(?:href|src)="([^"#]*)"', page.text)
    assert len(links) > 4
    for link in links:
        split = urlsplit(urljoin(f"https://proxy.example{below}{path}", link))
        assert split.netloc == "proxy.example"
        assert split.path.startswith(f"{below}/"), link
        assert ask(served, split.path.removeprefix(below)).status == 200, link


@pytest.mark.parametrize(
    "path",
    [
        "/migration/1/",
        "/metrics/",
        "/status.json/",
        "/database/shop/",
        "/database/shop%2Fdead/",
    ],
)
@pytest.mark.parametrize("below", ["", "/tools/pg%20status"])
def test_a_slash_too_many_leads_to_the_page_below_the_path_of_a_proxy(
    served: Guard, path: str, below: str
) -> None:
    answer = ask(served, path)
    assert answer.status == 307
    split = urlsplit(urljoin(f"https://proxy.example{below}{path}", answer.headers["location"]))
    assert split.netloc == "proxy.example"
    assert split.path == f"{below}{path.removesuffix('/')}"
    assert ask(served, split.path.removeprefix(below)).status == 200
    for nowhere in ("/nowhere", "/nowhere/", "//elsewhere.example/", "/metrics//"):
        assert ask(served, nowhere).status == 404


def test_a_token_may_hold_any_letters() -> None:
    letters = "ein-Schl\u00fcssel-\u20ac-und-mehr"
    guarded = app(snapshot(0), token=letters)
    sent = letters.encode().decode("latin-1")  # what a client puts on the wire, as `ask` takes it
    assert ask(guarded, authorization=f"Bearer {sent}").status == 200
    assert ask(guarded, authorization=f"Bearer {sent[:-1]}").status == 401
    assert ask(app(snapshot(0), token="x" * 16 + "\udcff"), authorization="Bearer x").status == 401


def test_a_token_where_one_is_asked_for() -> None:
    guarded = app(snapshot(0), token=_TOKEN)

    def asked(value: str) -> int:
        return ask(guarded, "/metrics", authorization=value).status

    def basic(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    refused = ask(guarded)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Basic realm="pgrehearse"')
    assert ask(guarded, "/assets/dashboard.css").status == 401
    assert asked(f"Bearer {_TOKEN}") == asked(basic(f"me:{_TOKEN}")) == asked(basic(f":{_TOKEN}")) == 200
    bearers = ["", "Bearer", "Bearer ", f"Bearer {_TOKEN}x", f"Bearer {_TOKEN[:-1]}", _TOKEN]
    basics = ["Basic !", "Basic", basic(_TOKEN), basic(f"{_TOKEN}:"), "Basic \u00e9"]
    for wrong in (*bearers, *basics, f"Digest {_TOKEN}"):
        assert asked(wrong) == 401, wrong
    assert ask(guarded, host="evil.example", authorization=f"Bearer {_TOKEN}").status == 421


@pytest.mark.parametrize("path", ["/", "/nothing", "/metrics", "/status.json", "/assets/dashboard.js"])
def test_what_a_browser_may_do_is_said_with_every_answer(served: Guard, path: str) -> None:
    for headers in ({}, {"host": "evil.example"}):
        answer = ask(served, path, **headers)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


# --- what is shown ---------------------------------------------------------------------------------------


def test_the_pages(served: Guard) -> None:
    page = ask(served)
    assert page.headers["content-type"].startswith("text/html")
    assert 'href="./database/shop"' in page.text
    assert 'href="./database/shop/dead"' in page.text
    assert "<style" not in page.text
    assert "style=" not in page.text
    assert page.text.count("<script") == 1
    one = ask(served, "/database/shop/dead")
    assert "it is dead" in one.text
    assert ask(served, "/database/nowhere").status == ask(served, "/database/").status == 404
    assert ask(served, "/assets/../app.py").status == ask(served, "/assets/app.py").status == 404


def test_one_migration_across_environments() -> None:
    (ran,) = VALUES["last"][1].ran  # type: ignore[attr-defined]
    failed = snapshot(0, last=Known(Last((ran,)), AT, 0.0))
    pending = Snapshot(
        place_of("", position=2),
        AT,
        0.1,
        {**snapshot(0).facts, "migrations": _pending("1_step"), "last": _none()},
    )
    unknown = snapshot(0, migrations=Unknown("it is dead"), last=Unknown("it is dead"))
    applied = snapshot(0, last=_none())
    page = ask(app(failed, pending, unknown, applied), "/migration/1")
    rows = page.text.split("<tbody>")[1].split("<tr>")[1:]
    assert [_said(row) for row in rows] == ["up failed", "pending", "nobody knows", "applied"]
    assert "<h1>1_step</h1>" in page.text
    assert ask(app(failed), "/migration/2").status == 404


def _pending(name: str) -> Known:
    return Known(Migrations(None, 0, (name,), ()), AT, 0.0)


def _none() -> Known:
    return Known(Last(()), AT, 0.0)


def _said(row: str) -> str:
    return row.split("</th>")[1].split("</td>")[0].rpartition("</span> ")[2]


def test_for_programs(served: Guard) -> None:
    value = json.loads(ask(served, "/status.json").text)
    jsonschema.validate(value, as_json.schema())
    assert value["level"] == "unknown"


def _metrics(answer: Answer) -> dict[tuple[str, ...], float]:
    """Value by name and the labels that matter here."""
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = [sample.labels[one] for one in ("database", "fact", "state") if one in sample.labels]
            found[(sample.name, *labels)] = sample.value
    return found


def test_for_prometheus(served: Guard) -> None:
    answer = ask(served, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = _metrics(answer)
    assert found["pgrehearse_level",] == 2
    assert found["pgrehearse_fact_level", "dead", "server"] == 2
    assert found["pgrehearse_fact_seen_timestamp_seconds", "dead", "server"] == 0
    assert found["pgrehearse_fact_level", "", "server"] == 1
    assert found["pgrehearse_fact_level", "shop_1", "server"] == 0
    assert found["pgrehearse_migrations", "shop_1", "pending"] == 1
    assert found["pgrehearse_lock_wait_seconds", ""] == 600
    assert ("pgrehearse_migrations", "dead", "pending") not in found  # its level says that nobody knows


@pytest.mark.parametrize(
    ("path", "made_of"),
    [("/metrics", "metrics.of_facts"), ("/status.json", "as_json.to_json"), ("/", "overview")],
)
def test_a_look_is_put_into_words_once(monkeypatch: pytest.MonkeyPatch, path: str, made_of: str) -> None:
    """Of many databases it takes long, and who asks again and again would slow the next look down."""
    real, calls = operator.attrgetter(made_of)(app_module), []

    def counted(*words: Any) -> Any:
        calls.append(words)
        return real(*words)

    monkeypatch.setattr(f"pgrehearse.dashboard.app.{made_of}", counted)
    found = [snapshot(0)]
    one = Latest(lambda: found, 30.0)
    one.once()
    served = Guard(made(one), {"localhost"}, "")
    first = ask(served, path)
    assert (first.status, ask(served, path), len(calls)) == (200, first, 1)
    found[:] = [snapshot(1)]
    one.once()
    assert (ask(served, path).text != first.text, len(calls)) == (True, 2)


def test_what_is_kept_grows_old_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The level of all is not part of what is kept: it turns unknown when no look ends."""
    one = latest(snapshot(0))
    served = Guard(made(one), {"localhost"}, "")
    before = [ask(served, path).text for path in ("/metrics", "/status.json", "/")]
    late = clock.now() + timedelta(seconds=91)
    monkeypatch.setattr(latest_module.clock, "now", lambda: late)
    after = [ask(served, path).text for path in ("/metrics", "/status.json", "/")]
    assert ("pgrehearse_level 0.0" in before[0], "pgrehearse_level 2.0" in after[0]) == (True, True)
    assert [json.loads(text[1])["level"] for text in (before, after)] == ["well", "unknown"]
    assert ("no look has ended since" in before[2], "no look has ended since" in after[2]) == (False, True)


def test_names_of_others_are_values_of_labels() -> None:
    evil = 'a"} 1\npgrehearse_level 0\n#'
    found = _metrics(ask(app(snapshot(1, evil)), "/metrics"))
    assert found["pgrehearse_level",] == 1
    assert found["pgrehearse_fact_level", evil, "server"] == 1


# --- what is old -----------------------------------------------------------------------------------------


def test_before_the_first_look_nothing_is_known() -> None:
    one = Latest(lambda: (), 30.0)
    assert one.level == Level.UNKNOWN
    page = ask(Guard(made(one), {"localhost"}))
    assert "the first look has not ended yet" in page.text
    assert _metrics(ask(Guard(made(one), {"localhost"}), "/metrics"))["pgrehearse_level",] == 2


@pytest.mark.parametrize("error", [SetupError("the file is gone"), ZeroDivisionError("x")])
def test_a_look_that_fails_is_said_and_what_is_there_is_not_green(error: Exception) -> None:
    fails = False

    def look() -> Sequence[Snapshot]:
        if fails:
            raise error
        return [snapshot(0)]

    one = Latest(look, 30.0)
    one.once()
    assert (one.level, one.problem) == (Level.WELL, "")
    fails = True
    one.once()
    assert one.level == Level.UNKNOWN
    page = ask(Guard(made(one), {"localhost"}))
    assert "the last look failed: " in page.text
    assert "<title>All environments: unknown</title>" in page.text
    fails = False
    one.once()
    assert one.problem == ""


def test_a_look_that_does_not_end_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    one = latest(snapshot(0))
    assert one.level == Level.WELL
    later = clock.now() + timedelta(minutes=5)
    monkeypatch.setattr(latest_module.clock, "now", lambda: later)
    assert one.problem.startswith("no look has ended since ")
    assert one.level == Level.UNKNOWN


@pytest.mark.parametrize(("back", "fresh"), [(60.0, True), (300.0, False)])
def test_a_clock_that_is_set_back_makes_nothing_fresh(
    monkeypatch: pytest.MonkeyPatch, back: float, fresh: bool
) -> None:
    """An hour after that, the time of day would call what was found before it new."""
    one = latest(snapshot(0))
    later, passed = clock.now() - timedelta(hours=1), time.monotonic() + back
    monkeypatch.setattr(latest_module.clock, "now", lambda: later)
    monkeypatch.setattr(latest_module.time, "monotonic", lambda: passed)
    assert (one.problem == "") is fresh


def test_how_long_a_look_took_is_never_less_than_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([clock.now() - timedelta(hours=hours) for hours in range(9)])
    monkeypatch.setattr(latest_module.clock, "now", lambda: next(times))
    assert 0 <= latest(snapshot(0)).now.took < 60


# --- what the reference page offers ----------------------------------------------------------------------


def offered() -> dict[str, str]:
    """The blocks of the page by the first word of their title."""
    page = (ROOT / "docs" / "reference" / "status.md").read_text("utf-8")
    return {
        found[1].split()[0]: found[2]
        for found in re.finditer(r'```text title="([^"]+)"\n(.*?)```', page, re.S)
    }


def test_alerts_and_panel_of_the_reference_can_be_loaded_and_ask_for_what_is_there(served: Guard) -> None:
    blocks = offered()
    rules = [rule for group in yaml.safe_load(blocks["Rules"])["groups"] for rule in group["rules"]]
    panel = json.loads(blocks["A"])
    (job,) = yaml.safe_load(blocks["Scraped,"])["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["127.0.0.1:8420"]}]
    asked = " ".join([*(rule["expr"] for rule in rules), *(target["expr"] for target in panel["targets"])])
    there = {key[0] for key in _metrics(ask(served, "/metrics"))}
    names = set(re.findall(r"pgrehearse_\w+", asked))
    assert len(names) == 5
    assert names <= there
    assert "pgrehearse_nothing" not in there
    assert {label for rule in rules for label in re.findall(r"\$labels\.(\w+)", str(rule))} == {
        "environment",
        "database",
        "fact",
    }
