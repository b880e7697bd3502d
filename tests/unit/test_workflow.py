"""The caches of the workflow are renewed with the pinned versions: their keys name the files that pin."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from pgrehearse.migration.trial import dbmate
from pgrehearse.servers import npm
from support import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def file_of(module: ModuleType) -> str:
    return Path(inspect.getfile(module)).relative_to(ROOT).as_posix()


def stale(workflow: str) -> Iterator[str]:
    """What is wrong with the cache keys of ``workflow``, a YAML text."""
    jobs: dict[str, Any] = yaml.safe_load(workflow)["jobs"]
    for name, job in jobs.items():
        runs = " ".join(step.get("run", "") for step in job["steps"])
        wanted = {file_of(npm)} | ({file_of(dbmate)} if "make migrations" in runs else set())
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/cache@"):
                hashed = re.search(r"hashFiles\((.*?)\)", step["with"]["key"])
                named = set(re.findall(r"'([^']+)'", hashed[1] if hashed else ""))
                yield from (f"{name}: the key does not hold {file}" for file in sorted(wanted - named))
                yield from (f"{name}: no file {file}" for file in named if not (ROOT / file).is_file())


def test_the_files_hold_the_pins() -> None:
    assert npm.VERSIONS
    assert dbmate.VERSION


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_the_keys_name_the_files_with_the_pins(file: Path) -> None:
    assert list(stale(file.read_text("utf-8"))) == []


def test_a_key_that_names_another_file_is_red() -> None:
    (text,) = (file.read_text("utf-8") for file in WORKFLOWS)
    assert text.count("actions/cache@") == 2
    moved = text.replace("servers/npm.py", "servers/pins.py")
    assert len(list(stale(moved))) == 4
    assert len(list(stale(text.replace(", 'src/pgrehearse/migration/trial/dbmate.py'", "")))) == 1
    assert len(list(stale(re.sub(r"-\$\{\{ hashFiles.*", "", text)))) == 3
