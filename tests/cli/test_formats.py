"""``--format``: the same findings for people, programs, code scanning and annotations, and nothing beside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.bench import Bench

FRONT = "---\ntitle: T\njupyter:\n  jupytext:\n    main_language: python\n---\n\n"
WRONG_FORM = f'{FRONT}```sql wait="other" expects="1"\nSELECT 1;\n```\n'
WRONG_ROW = f"{FRONT}```sql\nSELECT 1;\n```\n\n```text\n ?column? \n----------\n        2\n(1 row)\n```\n"
WRONG_CLAIM = f'{FRONT}```sql rewrite="yes"\nCREATE TABLE one ();\n```\n'


def results(text: str) -> list[tuple[str, str, int, str]]:
    """Rule, file, line and first line of the message of every result in a SARIF log."""
    found = []
    for result in json.loads(text)["runs"][0]["results"]:
        place: dict[str, Any] = result["locations"][0]["physicalLocation"]
        uri, line = place["artifactLocation"]["uri"], place["region"]["startLine"]
        found.append((result["ruleId"], uri, line, result["message"]["text"].split("\n")[0]))
    return found


@pytest.fixture
def wrong(bench: Bench) -> Bench:
    bench.write("docs/form.md", WRONG_FORM)
    bench.write("docs/good.md", f"{FRONT}```sql\nSELECT 1;\n```\n")
    return bench


FORM = [
    (
        "lint/option-order",
        "docs/form.md",
        8,
        "option keys are not in alphabetical order, or one stands twice",
    ),
    ("lint/unknown-option", "docs/form.md", 8, "unknown option 'expects'"),
    ("lint/wait-session", "docs/form.md", 8, "wait='other' names no other session that an earlier cell uses"),
]


def test_lint(wrong: Bench) -> None:
    text = wrong.call("lint")
    assert (text.status, text.out.splitlines()[-1]) == (65, "2 documents, 3 problems")

    sarif = wrong.call("lint", "--format", "sarif")
    assert sarif.status == 65
    found = [(rule, uri, line, said.rpartition(" [")[0]) for rule, uri, line, said in results(sarif.out)]
    assert found == FORM

    as_json = json.loads(wrong.call("lint", "--format", "json").out)
    assert [(one["rule"], one["path"], one["line"], one["message"]) for one in as_json["findings"]] == FORM

    github = wrong.call("lint", "--format", "github")
    assert github.out.startswith(text.out)
    annotations = github.out.removeprefix(text.out).splitlines()
    assert [line.split("::")[1] for line in annotations] == [
        f"error file={uri},line={line},title={rule}" for rule, uri, line, _ in FORM
    ]


def test_annotations_reach_the_ci_that_reads_the_log(wrong: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = wrong.call("lint", "--format", "github").out.splitlines()
    orders = [line for line in lines if line.lstrip().startswith("::")]
    assert len(orders) == len(FORM)
    assert all(line.startswith("::error file=docs/form.md,") for line in orders)


def test_annotations_are_not_silenced_by_what_a_query_prints(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container no variable says that a service reads the log: the format does."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    bench.write("docs/row.md", WRONG_ROW.replace("SELECT 1", "SELECT '::stop-commands::x'"))
    told = bench.call("test", "docs/row.md", "--no-keep", "--format", "github")
    orders = [line for line in told.out.splitlines() if line.lstrip().startswith("::")]
    assert (told.status, [line.partition(" ")[0] for line in orders]) == (1, ["::error"])
    plain = bench.call("test", "docs/row.md", "--no-keep")
    assert "::stop-commands::x" in plain.out


def test_lint_of_what_is_right_has_no_result(wrong: Bench) -> None:
    sarif = wrong.call("lint", "docs/good.md", "--format", "sarif")
    assert (sarif.status, results(sarif.out)) == (0, [])
    github = wrong.call("lint", "docs/good.md", "--format", "github")
    assert (github.status, github.out) == (0, "1 documents, 0 problems\n")


def test_a_format_that_is_none_is_refused(wrong: Bench) -> None:
    assert wrong.call("lint", "--format", "xml").status == 2


def test_documents(wrong: Bench) -> None:
    """A document that must not run and one that fails: all findings of both, and their exit status."""
    wrong.write("docs/row.md", WRONG_ROW)
    sarif = wrong.call("test", "--no-keep", "--format", "sarif")
    assert sarif.status == 65
    found = results(sarif.out)
    assert [rule for rule, *_ in found] == [*(rule for rule, *_ in FORM), "cell"]
    (rule, uri, line, said) = found[-1]
    assert (rule, uri, line) == ("cell", "docs/row.md", 12)
    assert said.startswith("the output differs [PostgreSQL ")
    assert "\n-        2\n+        1\n" in json.loads(sarif.out)["runs"][0]["results"][-1]["message"]["text"]

    text = wrong.call("test", "docs/row.md", "--no-keep", "--format", "github")
    assert text.status == 1
    assert f"docs/row.md:12: {said}" in text.out
    assert text.out.splitlines()[-1].startswith("::error file=docs/row.md,line=12,title=cell::the output")

    green = wrong.call("test", "docs/good.md", "--format", "json")
    assert (green.status, json.loads(green.out)) == (0, {"findings": []})


def test_claims(bench: Bench) -> None:
    bench.write("docs/claim.md", WRONG_CLAIM)
    found = results(bench.call("measure", "--format", "sarif").out)
    assert [(rule, uri, line) for rule, uri, line, _ in found] == [
        ("claim", "docs/claim.md", 8),
        ("evidence", "docs/claim.md", 8),
    ]
    text = bench.call("measure")
    assert text.status == 1
    assert f"claim.md:8: {found[0][3]}\n" in text.out
    assert text.out.count("  next: ") == 1
    assert "  next: mend the claim, or the statement\n" in text.out
