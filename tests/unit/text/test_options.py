"""Headers of cells."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.text.options import RESERVED, CellOptions, known_options, parse_header


def rules(info: str) -> list[str]:
    return [problem.check for problem in parse_header(info)[1]]


def test_every_option() -> None:
    header = (
        'sql blocks="writes" expect="55P03" lock="items: SHARE" name="a-b" needs="15" rewrite="no" scan="yes"'
        ' session="app_2" snippet="who-blocks" timeout="500ms" until="18" wait="main"'
    )
    options, problems = parse_header(header)
    assert problems == []
    assert options == CellOptions(
        blocks="writes",
        expect="55P03",
        lock="items: SHARE",
        name="a-b",
        needs=15,
        rewrite="no",
        scan="yes",
        session="app_2",
        snippet="who-blocks",
        timeout=0.5,
        until=18,
        wait="main",
    )
    assert parse_header('bash exit="1"')[0].exit == 1
    assert sorted({*re.findall(r'(\w+)="', header), "exit"}) == list(known_options()), (
        "one was forgotten here"
    )


@pytest.mark.parametrize(("text", "seconds"), [("5s", 5), ("1.5s", 1.5), ("20ms", 0.02), ("2min", 120)])
def test_timeouts(text: str, seconds: float) -> None:
    assert parse_header(f'sql timeout="{text}"')[0].timeout == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("info", "rule"),
    [
        ('sql session="b" expect="55P03"', "option-order"),
        ('sql name="a" name="b"', "option-order"),
        ('sql  name="a"', "header"),
        ('sql name="a" ', "header"),
        (" sql", "header"),
        ("sql name='a'", "header"),
        ("sql name=a", "header"),
        ("sql noeval", "header"),
        ('sql {name="a"}', "header"),
        ('{.sql name="a"}', "header"),
        ('sql na-me="a"', "header"),
        ('sql Name="a"', "header"),
        ("SQL", "header"),
        ('sql\tname="a"', "header"),
        ('sql\u00a0name="a"', "header"),
        ('sql expekt="55P03"', "unknown-option"),
        *((f'sql {key}="a"', "reserved-option") for key in RESERVED),
        ('sql expect="55p03"', "option-value"),
        ('sql expect="00000"', "option-value"),
        ('sql expect="5503"', "option-value"),
        ('sql expect=""', "option-value"),
        ('sql needs="1"', "option-value"),
        ('sql needs="17.2"', "option-value"),
        ('sql needs="18" until="17"', "option-value"),
        ('sql name="A"', "option-value"),
        ('sql name="é"', "option-value"),
        ('sql session="a b"', "option-value"),
        ('sql session="a-b"', "option-value"),
        ('sql snippet="../x"', "option-value"),
        ('sql timeout="5"', "option-value"),
        ('sql timeout="0s"', "option-value"),
        ('sql timeout="infs"', "option-value"),
        (f'sql timeout="{"9" * 400}s"', "option-value"),
        ('sql timeout="0.0000ms"', "option-value"),
        ('sql timeout="-1s"', "option-value"),
        ('python expect="55P03"', "option-value"),
        ('python session="a"', "option-value"),
        ('python wait="a"', "option-value"),
    ],
)
def test_refused(info: str, rule: str) -> None:
    problems = parse_header(info)[1]
    assert rule in [problem.check for problem in problems]
    assert all(problem.message and problem.next_step for problem in problems)


def test_the_fix_of_a_wrong_order_is_right() -> None:
    problem = parse_header('sql session="b" expect="55P03"')[1][0]
    assert problem.next_step == 'write ```sql expect="55P03" session="b"'
    assert rules(problem.next_step.removeprefix("write ```")) == []


def test_a_typo_gets_the_right_word() -> None:
    assert parse_header('sql expekt="55P03"')[1][0].next_step == "did you mean 'expect'?"


@given(st.text(st.characters(exclude_characters="\n\r`"), max_size=40))
def test_anything_is_read_or_refused(rest: str) -> None:
    options, problems = parse_header("sql " + rest)
    assert problems or options != CellOptions()
