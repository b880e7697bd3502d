"""In the log of a CI service nobody but us gives commands."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import click
import pytest

from pgrehearse.command.terminal import door
from pgrehearse.command.workflow_commands import escaped, issued, parts

SERVICES = ("GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION")
COMMANDS = (
    "a\n::stop-commands::x",
    "a\n \t::add-mask::b",
    "a\n\u3000::error file=x::owned",
    "see ##[error]x",
    "##vso[task.complete]",
    "said ##teamcity[buildStatus status='SUCCESS']",
)


@pytest.mark.parametrize("text", COMMANDS)
@pytest.mark.parametrize("service", SERVICES)
def test_a_ci_service_obeys_nobody_but_us(monkeypatch: pytest.MonkeyPatch, text: str, service: str) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    for name in SERVICES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(service, "true")
    with door():
        click.echo(text, color=True)
        click.echo(f"{issued('::error title=a::ours')}\n{text}\n{issued('::notice::too')}", color=True)
        click.echo(json.dumps({"said": text}))
        click.echo("SELECT 1::int, 2 ## 3")
    *lines, as_json, sql = out.getvalue().splitlines()
    assert [line for line in lines if line.strip().startswith("::")] == [
        "::error title=a::ours",
        "::notice::too",
    ]
    assert "##[" not in out.getvalue() and "##vso[" not in out.getvalue()
    assert "##teamcity[" not in out.getvalue()
    assert (json.loads(as_json), sql) == ({"said": text}, "SELECT 1::int, 2 ## 3")


def test_elsewhere_and_in_files_such_a_line_stands_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in SERVICES:
        monkeypatch.delenv(name, raising=False)
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    with door():
        click.echo("SELECT '1'\n::int")
    assert out.getvalue() == "SELECT '1'\n::int\n"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with (tmp_path / "made.sql").open("w+", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        with door():
            click.echo("SELECT '1'\n::int")
    assert (tmp_path / "made.sql").read_text("utf-8") == "SELECT '1'\n::int\n"


def test_a_command_of_ours_is_one_line_and_what_follows_is_not() -> None:
    text = f"said\n{issued('::notice::a')}\n::error::b"
    assert list(parts(text)) == [(False, "said\n"), (True, "::notice::a"), (False, "\n::error::b")]


def test_what_only_looks_like_one_stays() -> None:
    for text in ("SELECT 1::int", "a # b", "## heading", "a ##b[1]", "x ::y", ":a"):
        assert escaped(text) == text
