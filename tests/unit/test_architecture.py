"""The architecture page, the import contracts and the packages' docstrings say the same as the folders."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from support import ROOT

SOURCE = ROOT / "src" / "pgrehearse"
PAGE = (ROOT / "docs" / "contributing" / "architecture.md").read_text("utf-8")
PACKAGES = sorted(init.parent for init in SOURCE.rglob("__init__.py") if init.parent != SOURCE)
#: Where the names on the page may begin.
_BASES = (ROOT, SOURCE, ROOT / "tests")
_PATH = re.compile(r"`([\w.*-]+(?:/[\w.*<>-]*)+|\w+\.(?:py|sql|md|toml|css))`")


def paths(page: str) -> list[str]:
    """What a page names as a path."""
    return [found.replace("<package>", "*") for found in _PATH.findall(page)]


def exists(path: str) -> bool:
    """Whether a repository holds ``path``, as people write it: from a usual base, or a file's name alone."""
    path = path.rstrip("/")
    return any(any(base.glob(path)) for base in _BASES) or ("/" not in path and any(SOURCE.rglob(path)))


def unnamed(package: Path) -> list[str]:
    """Modules of ``package`` that its docstring says nothing of, commands of the command line aside."""
    said = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or ""
    known = set(re.findall(r"\w+", said))
    modules = [path for path in package.glob("*.py") if path.stem != "__init__" and path.stem not in known]
    if "a module for each" in said:
        modules = [
            path
            for path in modules
            if not re.search(r"^@click\.(command|group)", path.read_text("utf-8"), re.M)
        ]
    folders = [path.parent for path in package.glob("*/__init__.py") if path.parent.name not in known]
    return sorted(path.stem for path in (*modules, *folders))


def test_every_path_on_the_page_is_there() -> None:
    named = paths(PAGE)
    assert len(named) > 60
    made = {"evidence/*.json", ".pgrehearse/records/"}
    assert [path for path in named if path not in made and not exists(path)] == []


@pytest.mark.parametrize("path", ["execution/runbook/nothing.py", "nothing.py", "tests/db/nothing/"])
def test_a_path_that_is_gone_is_seen(path: str) -> None:
    assert paths(f"| do | `{path}` |") == [path]
    assert not exists(path)


def test_the_diagram_is_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    wanted = [set(layer.split(" | ")) for layer in reversed(layers)]
    diagram = PAGE.partition("```text\n")[2].partition("```")[0]
    drawn = [set(re.split(r" \| ", re.split(r"\s{2,}", line.strip())[0])) for line in diagram.splitlines()]
    assert drawn == wanted[: len(drawn)]
    assert wanted[len(drawn) :] == [{"__main__"}]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_package_says_what_lies_in_it(package: Path) -> None:
    assert unnamed(package) == []


def test_a_module_nobody_names_is_seen(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text('"""This: ``one``."""', "utf-8")
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text("", "utf-8")
    assert unnamed(tmp_path) == ["two"]


#: The same concept in parallel packages: its name may stand in each.
PARALLEL = {
    "modules": {
        "cells": "measured, and kept as evidence",
        "drawing": "charts of pages, of the dashboard, of a report",
        "leftovers": "cleared away by a runner, seen by a look",
        "markup": "templates of every front end, and the site's",
        "memory": "what a check, a comparison, a look remember",
        "rates": "measured, and kept as evidence",
        "recordings": "declared in a text, and kept as evidence",
        "rehearsals": "kept as evidence, and shown on pages",
        "zoo": "kept as evidence, and shown on pages",
    },
    "classes": {"Memory": "what a check, a comparison, a look remember"},
}


def _named() -> dict[str, dict[str, list[str]]]:
    """Which modules have a name, and which public classes; a command is named like what it commands."""
    found: dict[str, dict[str, list[str]]] = {"modules": {}, "classes": {}}
    for path in sorted(SOURCE.rglob("*.py")):
        where = path.relative_to(SOURCE).as_posix()
        if path.stem not in ("__init__", "__main__") and not where.startswith("command/"):
            found["modules"].setdefault(path.stem, []).append(where)
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found["classes"].setdefault(node.name, []).append(where)
    return found


@pytest.mark.parametrize("kind", ["modules", "classes"])
def test_a_name_means_one_thing(kind: str) -> None:
    shared = {name: where for name, where in _named()[kind].items() if len(where) > 1}
    assert shared.keys() == PARALLEL[kind].keys(), {
        name: shared.get(name) for name in shared.keys() ^ PARALLEL[kind].keys()
    }
