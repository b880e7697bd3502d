"""Every module says what it offers, and offers what it says."""

from __future__ import annotations

import importlib
import pkgutil

import jupytext  # noqa: F401 - it looks for pandoc when it is first imported, and no test here may
import pytest

import pgrehearse

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(pgrehearse.__path__, "pgrehearse.")
    if not module.name.endswith("__main__")  # importing it runs the command
    # a library of this one starts a program when it is imported: see tests/db/promotion/test_queue.py
    and module.name != "pgrehearse.promotion.queue"
)


def test_there_are_modules() -> None:
    assert len(MODULES) > 40


@pytest.mark.parametrize("name", MODULES)
def test_all_is_sorted_and_true(name: str) -> None:
    module = importlib.import_module(name)
    if module.__file__ and module.__file__.endswith("__init__.py") and not hasattr(module, "__all__"):
        return  # a package that offers nothing by itself
    if name.endswith(("cell_keeper", "python_worker")):
        return  # scripts: the processes cells run in
    offered = module.__all__
    assert offered == sorted(offered, key=_order), f"{name}: __all__ is not sorted"
    missing = [item for item in offered if not hasattr(module, item)]
    assert not missing, f"{name}: __all__ names what is not there"


def _order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions: the order ruff keeps."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def test_the_root_offers_the_errors() -> None:
    assert all(
        issubclass(getattr(pgrehearse, name), pgrehearse.PgRehearseError) for name in pgrehearse.__all__
    )
