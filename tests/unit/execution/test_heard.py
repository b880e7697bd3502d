"""What a step printed, without the notices that were told as they came."""

from __future__ import annotations

import pytest

from pgrehearse.execution.bounds import ROOM
from pgrehearse.execution.runbook.heard import Heard


@pytest.mark.parametrize(
    ("notices", "output", "rest"),
    [
        ([], "DO", "DO"),
        (["a"], "a", ""),
        (["a"], "a\nDO", "DO"),
        (["a"], "DO\na\na", "DO\na"),
        (["a", "a"], "a\nDO\na", "DO"),
        (["a\nDETAIL: b", "a"], "a\na\nDETAIL: b\nDO", "DO"),
        (["a\nDETAIL: b"], "a\nDETAIL: c", "a\nDETAIL: c"),
        (["gone", "a"], "a\nDO", "DO"),
        (["x"], "xx\n x\n\nx", "xx\n x\n"),
    ],
)
def test_each_notice_is_left_out_as_often_as_it_was_heard(notices: list[str], output: str, rest: str) -> None:
    heard = Heard()
    for notice in notices:
        heard.add(notice)
    assert heard.not_in(output) == rest
    assert heard.not_in(output) == rest


def test_more_than_an_output_holds_is_not_kept() -> None:
    heard = Heard()
    heard.add("x" * (ROOM + 1))
    heard.add("y")
    assert heard.not_in("y") == "y"
