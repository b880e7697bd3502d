"""Advice about files of other tools: what is said otherwise there is still what our checks say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pgrehearse.findings import Finding
from pgrehearse.migration.policy import judged_file
from pgrehearse.migration.policy.judged_file import in_their_words

PHRASES = judged_file._THEIR_WORDS


def test_each_phrase_that_is_said_otherwise_stands_in_a_check() -> None:
    here = Path(judged_file.__file__)
    files = (path.read_text("utf-8") for path in here.parent.glob("*.py") if path != here)
    said = re.sub(r'"\s*\n\s*f?"', "", "\n".join(files))  # texts that go on in the next line in one piece
    assert [ours for ours in PHRASES if ours not in said] == []
    assert "a phrase that no check says" not in said


@pytest.mark.parametrize("ours", PHRASES)
def test_none_of_our_words_is_left_in_advice(ours: str) -> None:
    said = in_their_words(Finding("slow", kind="policy", next_step=f"mend it{ours}; then go on")).next_step
    assert ours not in said
    assert said.endswith("; then go on")
