"""A command of one's own, as for a managed cloud: its words are told as its own, its copy is asked."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pgrehearse.backup import take as taking
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.own_command import OwnCommand
from pgrehearse.backup.receipt import Receipt
from pgrehearse.errors import ExpectationError
from pgrehearse.servers import Server, binaries, start
from support.archives import look, proven, shop_on, working
from support.damages import words
from support.databases import execute

_GOOD: dict[str, Any] = {
    "list": {"backup": "snapshot-1", "taken": "2026-01-02T03:04:05+00:00"},
    "read": {"whole": True, "said": "the provider checks its blocks"},
    "remove": {"removed": True},
    "take": {"backup": "snapshot-1"},
}
_SCRIPT = """#!/bin/sh
echo "$1" >>"$0.calls"
cat "$0.$1" || exit 1
"""


@dataclass
class Cloud:
    """A database, another server where a copy of it is, and a command that says so."""

    dsn: str
    copy: Server
    folder: Path
    made: int = 0
    script: Path = Path()
    calls: list[str] = field(default_factory=list)

    def adapter(self, **answers: Any) -> OwnCommand:
        """With a command that answers so; what is given as text is printed as it is."""
        self.made += 1
        script = self.folder / f"cloud-{self.made}"
        script.write_text(_SCRIPT)
        script.chmod(0o755)
        restored = {"dsn": self.copy.dsn(), "physical": False}
        for word, answer in {**_GOOD, "restore": restored, **answers}.items():
            text = answer if isinstance(answer, str) else json.dumps(answer)
            script.with_name(f"{script.name}.{word}").write_text(text)
        self.script = script
        return OwnCommand("snapshot-1", look(self.dsn), working(self.folder, run=shlex.quote(str(script))))

    def verify(self, **answers: Any) -> Receipt:
        adapter = self.adapter(**answers)
        receipt = proven(adapter, look(self.dsn))
        self.calls = self.script.with_name(f"{self.script.name}.calls").read_text().split()
        return receipt


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with start() as server, start() as copy:
        dsn = shop_on(server)
        found = Cloud(dsn, copy, tmp_path_factory.mktemp("cloud"))
        taking.take(found.adapter())
        execute(copy.dsn(), "CREATE DATABASE shop")
        file = found.folder / "shop.sql"
        subprocess.run([binaries.client("pg_dump", server.major), "-d", dsn, "-f", file], check=True)
        quiet = [binaries.client("psql"), "-X", "-q", "-o", "/dev/null", "-d", copy.dsn("shop"), "-f", file]
        subprocess.run(quiet, check=True)
        yield found


def test_what_it_restores_is_read_back_to_the_canary_and_taken_away(cloud: Cloud) -> None:
    receipt = cloud.verify()
    assert receipt.level is EvidenceLevel.CANARY, receipt.missing
    assert cloud.calls == ["list", "read", "restore", "remove"]
    (read,) = [one for one in receipt.evidence if one.level is EvidenceLevel.READ]
    assert read.said == f"the provider checks its blocks, as {cloud.script.name} says"


BROKEN: dict[str, tuple[dict[str, Any], EvidenceLevel]] = {
    "nothing has read it whole": ({"read": {"whole": False, "said": "nobody did"}}, EvidenceLevel.LISTED),
    "the restore exits 0 and made nothing": ({"restore": ""}, EvidenceLevel.READ),
    "what was restored does not answer": (
        {"restore": {"dsn": "host=/nowhere", "physical": False}},
        EvidenceLevel.READ,
    ),
    "what was restored is not taken away": ({"remove": {"removed": False}}, EvidenceLevel.READ),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_what_is_missing_is_named_and_what_was_made_is_taken_away(cloud: Cloud, damage: str) -> None:
    answers, reached = BROKEN[damage]
    receipt = cloud.verify(**answers)
    assert receipt.level is reached
    assert any(words(damage, "command") in one.said for one in receipt.missing), receipt.missing
    assert "restore" not in cloud.calls or cloud.calls[-1] == "remove"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"read": {"whole": "yes", "said": "it did"}}, "its `whole` is 'yes'"),
        ({"restore": "[]"}, "restore exits 0 and prints no JSON object"),
        ({"restore": {"physical": False}}, "its `dsn` is missing"),
    ],
    ids=["whole", "list", "dsn"],
)
def test_an_answer_of_another_form_is_none(cloud: Cloud, answers: dict[str, Any], said: str) -> None:
    assert any(said in one.said for one in cloud.verify(**answers).missing)


def test_a_backup_of_another_server_is_refused(cloud: Cloud) -> None:
    (line,) = cloud.verify(list={**_GOOD["list"], "system_identifier": "7"}).missing
    assert words("it is of another server", "command") in line.said


def test_the_original_itself_is_no_copy(cloud: Cloud) -> None:
    receipt = cloud.verify(restore={"dsn": cloud.dsn, "physical": True})
    assert receipt.level is EvidenceLevel.READ
    assert words("what was restored is the original itself", "command") in receipt.missing[0].said


def test_a_copy_without_the_rows_is_refused(cloud: Cloud) -> None:
    with start() as empty:
        execute(empty.dsn(), "CREATE DATABASE shop")
        receipt = cloud.verify(restore={"dsn": empty.dsn(), "physical": False})
    assert receipt.level is EvidenceLevel.RESTORED
    assert words("rows are missing", "command") in {one.check for one in receipt.missing}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"backup": "snapshot-1"}, "its `taken` is missing"),
        ({"backup": "snapshot-1", "taken": "2026-01-02 03:04:05"}, "no time with a zone"),
        ({"backup": 1, "taken": "2026-01-02T03:04:05+00:00"}, "its `backup` is 1"),
        ("no JSON", words("it is something else", "command")),
    ],
)
def test_what_says_nothing_of_itself_is_no_backup(cloud: Cloud, answer: Any, said: str) -> None:
    with pytest.raises(ExpectationError, match=said):
        cloud.verify(list=answer)


def test_a_command_that_fails_is_named(cloud: Cloud) -> None:
    adapter = OwnCommand("snapshot-1", look(cloud.dsn), working(cloud.folder, run="false"))
    with pytest.raises(ExpectationError, match="false list failed"):
        proven(adapter, look(cloud.dsn))
