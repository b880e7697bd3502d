"""The alerts and the panel of the reference page, by Prometheus itself: loaded, and asked of /metrics."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from pgrehearse.dashboard.latest import Latest
from pgrehearse.dashboard.metrics import exposed, of_facts
from pgrehearse.status.fact import Known
from pgrehearse.status.snapshot import Snapshot, unseen
from support import ROOT
from support.programs import program
from support.samples_of_status import AT, VALUES, snapshot
from support.waiting import LIMIT

#: What a series is called, with its labels; those that are empty are none to Prometheus.
Series = tuple[str, tuple[tuple[str, str], ...]]


def offered(first_word: str) -> str:
    """The block of the reference page whose title begins with that."""
    page = (ROOT / "docs" / "reference" / "status.md").read_text("utf-8")
    (found,) = re.findall(rf'```text title="{first_word}[^"]*"\n(.*?)```', page, re.S)
    return str(found)


def shown(*found: Snapshot) -> dict[Series, float]:
    """What /metrics says of these."""
    latest = Latest(lambda: found, 30.0)
    latest.once()
    return {
        (
            sample.name,
            tuple(sorted((key, value) for key, value in sample.labels.items() if value)),
        ): sample.value
        for family in text_string_to_metric_families(exposed(latest, of_facts).decode())
        for sample in family.samples
    }


def written(series: Series) -> str:
    name, labels = series
    return name + "{" + ", ".join(f"{key}={json.dumps(value)}" for key, value in labels) + "}"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.yml"
    file.write_text(offered("Rules for alerts"))
    return file


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [program("promtool-2.42"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)


def played(rules: Path, *tests: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """`promtool test rules`: what the rules say of series that are given."""
    file = rules.with_name("test.yml")
    given = {"rule_files": [rules.name], "evaluation_interval": "1m", "tests": list(tests)}
    file.write_text(yaml.safe_dump(given))
    return promtool("test", "rules", file)


def lasting(found: dict[Series, float], **more: Any) -> dict[str, Any]:
    """A test in which the series keep their values for two hours."""
    series = [{"series": written(one), "values": f"{value}+0x120"} for one, value in found.items()]
    return {"interval": "1m", "input_series": series, **more}


def alert(name: str, after: str, *labels: dict[str, str]) -> dict[str, Any]:
    """After that time just these alerts fire."""
    expected = [
        {"exp_labels": one, "exp_annotations": _summary(one) if name == "EnvironmentNeedsAPerson" else {}}
        for one in labels
    ]
    return {"eval_time": after, "alertname": name, "exp_alerts": expected}


def _summary(labels: dict[str, str]) -> dict[str, str]:
    return {"summary": f"{labels['environment']} {labels.get('database', '')}: {labels['fact']}"}


def test_prometheus_loads_the_rules_and_the_scraping(rules: Path, tmp_path: Path) -> None:
    assert "SUCCESS: 3 rules found" in promtool("check", "rules", rules).stdout
    scraping = tmp_path / "prometheus.yml"
    scraping.write_text(offered("Scraped,"))
    checked = promtool("check", "config", scraping)
    assert checked.returncode == 0, checked.stderr
    rules.write_text(rules.read_text().replace("== 1", "=== 1"))  # the counterproof
    assert promtool("check", "rules", rules).returncode != 0


def test_the_alerts_fire_for_what_they_are_for_and_for_nothing_else(rules: Path) -> None:
    red = snapshot(0, leftovers=Known(VALUES["leftovers"][1], AT, 0.0))
    dead = snapshot(0, "dead")
    dead = Snapshot(dead.place, AT, 5.0, unseen(dead.place, "it is dead", "look"))
    here = {"environment": "shop"}
    unknown = [{**here, "database": "dead", "fact": fact} for fact in dead.facts]
    found = shown(red, dead)
    done = played(
        rules,
        lasting(
            found,
            alert_rule_test=[
                alert("EnvironmentNeedsAPerson", "14m"),
                alert("EnvironmentNeedsAPerson", "16m", {**here, "fact": "leftovers"}),
                alert("NobodyKnows", "59m"),
                alert("NobodyKnows", "61m", *unknown),
                alert("StatusIsOld", "90m"),
            ],
        ),
        lasting(
            shown(snapshot(0)),
            alert_rule_test=[alert("EnvironmentNeedsAPerson", "90m"), alert("NobodyKnows", "90m")],
        ),
        lasting({}, alert_rule_test=[alert("StatusIsOld", "4m"), alert("StatusIsOld", "6m", {})]),
        lasting(
            found | {("pgrehearse_looked_timestamp_seconds", ()): 0.0},
            alert_rule_test=[alert("StatusIsOld", "9m"), alert("StatusIsOld", "12m", {})],
        ),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = played(rules, lasting(found, alert_rule_test=[alert("EnvironmentNeedsAPerson", "16m")]))
    assert wrong.returncode != 0


def test_the_panel_asks_for_what_metrics_shows(rules: Path) -> None:
    panel = json.loads(offered("A panel for Grafana"))
    found = shown(snapshot(1), snapshot(0, "berlin"))
    asked = []
    for target in panel["targets"]:
        samples = [
            {"labels": written(series), "value": value}
            for series, value in found.items()
            if series[0] == target["expr"]
        ]
        assert len(samples) == 2
        asked.append({"expr": target["expr"], "eval_time": "5m", "exp_samples": samples})
    done = played(rules, lasting(found, promql_expr_test=asked))
    assert done.returncode == 0, done.stdout + done.stderr
    asked[0]["exp_samples"][0]["value"] += 1
    assert played(rules, lasting(found, promql_expr_test=asked)).returncode != 0
