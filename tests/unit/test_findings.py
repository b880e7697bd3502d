"""The forms of a finding: what people, programs, code scanning and annotations get; hostile texts too."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from pgrehearse.errors import DocumentError, ExpectationError, PgRehearseError, SetupError
from pgrehearse.findings import FORMATS, Finding, Severity, location, written

PAGE = Path("docs/page.md")
#: What would end a command, a property, a URI or a JSON string where it is not escaped.
HOSTILE = "100%\r\n::error file=x,line=9::no, \"really\" 'not' %0A # ? \u2028 é"

POLICY = Finding(
    "reads items whole while writers wait",
    Path("db/migrations/0002_change.sql"),
    7,
    kind="policy",
    check="scan",
    about="rule 8 (scan)",
    statement="ALTER TABLE items\n  ADD CHECK (price > 0)",
    detail="ACCESS EXCLUSIVE on items",
    next_step="NOT VALID first",
    page="guides/policy",
    section="rule 8",
)


def lint(message: str = "unknown option 'x'", line: int = 3, path: Path = PAGE, **other: Any) -> Finding:
    return Finding(message, path, line, kind="lint", check="unknown-option", next_step="remove it", **other)


def name(path: Path) -> str:
    return path.name


def plain(path: Path) -> str:
    return path.as_posix()


# --- text -----------------------------------------------------------------------------------------------


def test_text_says_place_sentence_check_and_next_step() -> None:
    assert lint().text() == "docs/page.md:3: unknown option 'x' [unknown-option]\n  next: remove it"
    assert lint().text(name) == "page.md:3: unknown option 'x' [unknown-option]\n  next: remove it"
    assert Finding("gone", Path("a.sql"), kind="policy").text() == "a.sql: gone"
    assert Finding("no server", kind="setup").text() == "no server"


def test_text_of_a_measured_finding() -> None:
    assert POLICY.text(name) == (
        "0002_change.sql:7: rule 8 (scan): reads items whole while writers wait\n"
        "  statement: ALTER TABLE items ADD CHECK (price > 0)\n"
        "  measured: ACCESS EXCLUSIVE on items\n"
        "  next: NOT VALID first\n"
        "  see: guides/policy, rule 8"
    )


def test_a_long_statement_is_cut_on_its_line() -> None:
    kept = Finding("m", kind="k", statement="S" * 120).text().splitlines()[1]
    cut = Finding("m", kind="k", statement="S" * 121).text().splitlines()[1]
    assert (kept, cut) == (f"  statement: {'S' * 120}", f"  statement: {'S' * 116} ...")


def test_what_the_message_says_itself_is_not_said_before_it() -> None:
    about = {"kind": "contract", "about": "index items_pkey"}
    assert Finding("it is INVALID", **about).said == "index items_pkey: it is INVALID"
    assert Finding("no entry shows index items_pkey", **about).said == "no entry shows index items_pkey"


def test_a_report_keeps_statement_and_detail_as_they_are() -> None:
    failed = Finding(
        "the output differs", Path("page.md"), 9, kind="cell", statement="SELECT 1\n  + 1;", detail="- 1\n+ 2"
    )
    assert failed.report() == ("page.md:9: the output differs\n    SELECT 1\n      + 1;\n    - 1\n    + 2")


def test_location() -> None:
    assert [location("a", 3), location(Path("a"), 0), location("a", None), location(None, 3)] == [
        "a:3",
        "a",
        "a",
        "",
    ]


# --- errors ---------------------------------------------------------------------------------------------


def test_an_error_is_a_finding() -> None:
    error = DocumentError("no such file", path="a.md", line=2, next_step="check the spelling")
    (only,) = error.findings
    assert str(error) == only.text() == "a.md:2: no such file\n  next: check the spelling"
    kinds = [kind("m").findings[0].kind for kind in (PgRehearseError, SetupError, ExpectationError)]
    assert kinds == ["bug", "setup", "expectation"]


def test_an_error_of_several_says_and_holds_them_all() -> None:
    found = [lint(), lint("unknown option 'y'", 5), Finding("not SQL", PAGE, 8, kind="lint", check="sql")]
    error = DocumentError.of(found)
    assert (error.message, error.location) == ("unknown option 'x' [unknown-option]", "docs/page.md:3")
    assert str(error) == "\n".join(finding.text() for finding in found)
    assert list(error.findings) == found
    assert str(DocumentError.of(found[:1])) == found[0].text()


def test_an_error_that_sums_up_lists_below() -> None:
    error = DocumentError("2 problems on the built site", findings=[lint(), POLICY])
    assert str(error) == f"2 problems on the built site\n{lint().text()}\n{POLICY.text()}"
    assert error.findings == (lint(), POLICY)


# --- JSON -----------------------------------------------------------------------------------------------


def test_json() -> None:
    (one,) = json.loads(written("json", [POLICY], plain))["findings"]
    assert (one["path"], one["line"], one["rule"]) == ("db/migrations/0002_change.sql", 7, "policy/scan")
    assert (one["message"], one["severity"], one["sqlstate"]) == (POLICY.message, "policy", None)
    (bare,) = json.loads(written("json", [Finding("m", kind="setup")], plain))["findings"]
    assert (bare["path"], bare["line"], bare["rule"]) == (None, None, "setup")
    assert json.loads(written("json", [], plain)) == {"findings": []}


# --- SARIF ----------------------------------------------------------------------------------------------


def complaints(log: dict[str, Any]) -> list[str]:
    """What GitHub's upload needs and ``log`` has not, after its table of SARIF properties."""
    wrong = [] if log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json") else ["version"]
    for run in log["runs"]:
        driver = run["tool"]["driver"]
        wrong += [] if driver["name"] and driver["version"] else ["driver"]
        for rule in driver["rules"]:
            texts = [rule[key]["text"] for key in ("shortDescription", "fullDescription", "help")]
            wrong += [] if rule["id"] and all(texts) else ["rule"]
        for result in run["results"]:
            wrong += [] if driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] else ["ruleIndex"]
            wrong += [] if result["level"] in ("error", "warning", "note") else ["level"]
            wrong += [] if result["message"]["text"] else ["message"]
            physical = result["locations"][0]["physicalLocation"]
            wrong += [] if re.fullmatch(r"[!-~]+", physical["artifactLocation"]["uri"]) else ["uri"]
            wrong += [] if physical.get("region", {"startLine": 1})["startLine"] >= 1 else ["region"]
    return wrong


def sarif(*findings: Finding) -> dict[str, Any]:
    return dict(json.loads(written("sarif", findings, plain)))


def test_sarif_has_what_an_upload_needs() -> None:
    bare = Finding("no server", kind="setup")
    style = lint(severity=Severity.HYGIENE)
    log = sarif(POLICY, style, lint("again", 9), bare, Finding("gone", PAGE, kind="policy", check="applied"))
    assert complaints(log) == []
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["lint/unknown-option", "policy/applied", "policy/scan", "setup"]
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error", "error", "error"]
    first, *_, without_path, without_line = run["results"]
    assert first["message"]["text"].splitlines() == [
        "rule 8 (scan): reads items whole while writers wait",
        "ACCESS EXCLUSIVE on items",
        "statement: ALTER TABLE items ADD CHECK (price > 0)",
        "next: NOT VALID first",
        "see: guides/policy, rule 8",
    ]
    assert without_path["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "pyproject.toml"
    assert "region" not in without_line["locations"][0]["physicalLocation"]
    assert complaints(sarif()) == []


@pytest.mark.parametrize(
    "break_", ["$schema", "ruleId", "level", "message", "uri", "startLine", "shortDescription"]
)
def test_the_check_of_sarif_sees_what_is_missing(break_: str) -> None:
    text = json.dumps(sarif(POLICY))
    broken = {
        "$schema": text.replace("sarif-2.1.0.json", "x"),
        "ruleId": text.replace('"ruleId": "policy/scan"', '"ruleId": "x"'),
        "level": text.replace('"level": "error"', '"level": "bad"'),
        "message": re.sub(r'"message": \{"text": "[^"]*"', '"message": {"text": ""', text),
        "uri": text.replace("0002_change", "0002 change"),
        "startLine": text.replace('"startLine": 7', '"startLine": 0'),
        "shortDescription": text.replace('"text": "rule 8 (scan)"', '"text": ""'),
    }[break_]
    assert complaints(json.loads(broken)) != []


def test_sarif_with_hostile_texts() -> None:
    finding = lint(HOSTILE, path=Path("docs/a b%20#?:é.md"))
    log = sarif(finding)
    assert complaints(log) == []
    (result,) = log["runs"][0]["results"]
    uri = urlsplit(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
    assert (unquote(uri.path), uri.query, uri.fragment, uri.scheme) == ("docs/a b%20#?:é.md", "", "", "")
    assert result["message"]["text"].startswith(HOSTILE)
    outside = sarif(lint(path=Path("/tmp/a b.md")))["runs"][0]["results"][0]  # noqa: S108
    artifact = outside["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "file:///tmp/a%20b.md"}


# --- annotations ----------------------------------------------------------------------------------------


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it (its ActionCommand.TryParseV2)."""
    assert line.startswith("::")
    head, message = line[2:].split("::", 1)
    command, _, properties = head.partition(" ")
    pairs = dict(pair.split("=", 1) for pair in properties.split(",") if pair)
    values = {}
    for key, value in pairs.items():
        for escape, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            value = value.replace(escape, char)  # noqa: PLW2901
        values[key] = value
    for escape, char in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        message = message.replace(escape, char)
    return command, values, message


def test_annotations() -> None:
    assert written("github", [lint(), lint("y", severity=Severity.HYGIENE)], plain).splitlines() == [
        "::error file=docs/page.md,line=3,title=lint/unknown-option::"
        "unknown option 'x' [unknown-option]%0Anext: remove it",
        "::warning file=docs/page.md,line=3,title=lint/unknown-option::y [unknown-option]%0Anext: remove it",
    ]
    assert written("github", [Finding("no server", kind="setup")], plain) == "::error title=setup::no server"
    assert written("github", [], plain) == ""


def test_annotations_with_hostile_texts() -> None:
    path = "docs/50%,a:b\r\n::error::c.md"
    finding = lint(HOSTILE, path=Path(path))
    text = written("github", [finding], plain)
    assert "\n" not in text
    assert "\r" not in text
    command, properties, message = parsed(text)
    assert (command, properties) == (
        "error",
        {"file": path, "line": "3", "title": "lint/unknown-option"},
    )
    assert message == f"{HOSTILE} [unknown-option]\nnext: remove it"


def test_the_text_of_several() -> None:
    assert FORMATS[0] == "text"
    assert written("text", [lint(), lint("y")], name) == (f"{lint().text(name)}\n{lint('y').text(name)}")
