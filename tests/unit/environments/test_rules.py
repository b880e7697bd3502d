"""The table of what may be done where: complete, read by the program, and stricter towards production."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import pgrehearse
from pgrehearse.environments.names import ENVIRONMENTS, protection
from pgrehearse.environments.permissions import RULES, Operation, Verdict, demand, verdict
from pgrehearse.errors import SetupError

#: From permissive to strict.
_STRICTER = [Verdict.ALLOWED, Verdict.ASKED, Verdict.REFUSED]


@cache
def _sources() -> dict[str, str]:
    """The program: text by file name."""
    root = Path(pgrehearse.__file__).parent
    return {file.relative_to(root).as_posix(): file.read_text("utf-8") for file in root.rglob("*.py")}


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_has_a_row_for_every_environment(operation: Operation) -> None:
    rule = RULES[operation]
    assert list(rule.verdicts) == list(ENVIRONMENTS)
    assert re.fullmatch(r"[^.]*\w.*[.]", rule.why), "one sentence"
    assert "|" not in rule.what + rule.why
    strict = [_STRICTER.index(rule.verdicts[name]) for name in ENVIRONMENTS]
    assert strict == sorted(strict), "what is refused in one is refused in every more protected one"


@pytest.mark.parametrize("operation", Operation)
def test_every_row_is_read_by_the_program(operation: Operation) -> None:
    """A row that nobody reads would be a promise that nobody keeps."""
    used = re.compile(rf"\bOperation\.{operation.name}\b")
    readers = [text for name, text in _sources().items() if not name.startswith("environments/")]
    assert len(readers) > 100
    assert any(used.search(text) for text in readers)


def test_nobody_decides_by_the_name_of_an_environment() -> None:
    """Outside the table no code compares an environment with a name."""
    decides = re.compile(r"""environment [=!]= ["']|["'](?:staging|production)["'] [=!]=""")
    # Not a decision: the name of a disposable database is another every time, so it is not printed.
    assert {name for name, text in _sources().items() if decides.search(text)} == {"command/db/target.py"}


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_demand_does_what_the_table_says(operation: Operation, environment: str) -> None:
    found = verdict(operation, environment)
    for said in (False, True):
        if found is Verdict.ALLOWED or (found is Verdict.ASKED and said):
            demand(operation, environment, "shop", said=said)
            continue
        with pytest.raises(SetupError) as caught:
            demand(operation, environment, "shop", said=said)
        if found is Verdict.REFUSED or operation is not Operation.RUN:  # run asks by itself
            assert "shop" in caught.value.message
            assert caught.value.next_step
            assert "{" not in str(caught.value)


def test_the_words_of_a_refusal() -> None:
    with pytest.raises(SetupError) as caught:
        demand(Operation.APPLY_MIGRATIONS, "production", "shop")
    assert str(caught.value) == (
        "refused: 'shop' is production, and that was not said\n  next: say --environment production"
    )
    with pytest.raises(SetupError, match=r"rehearsals use only disposable, test, development\n"):
        demand(Operation.REHEARSE, "staging", "here:1/shop")


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("name", ["", "prod", "Disposable"])
def test_a_name_nobody_knows_is_treated_as_production(operation: Operation, name: str) -> None:
    assert verdict(operation, name) is verdict(operation, "production")
    assert protection(name) > protection("production")


def test_names_are_ordered_by_what_a_mistake_costs() -> None:
    assert sorted(ENVIRONMENTS, key=protection) == list(ENVIRONMENTS)
    assert protection("production") > protection("staging") > protection("disposable")
