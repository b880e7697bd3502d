"""Values of claims: read as they are written, or refused with what is wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.text.claims import BLOCKS, MODES, blocks, locks, pairs, yes_or_no

RELATIONS = st.from_regex(r'(type )?("[a-z ]{1,5}"|[a-z_]\w{0,5})(\.\w{1,5})?', fullmatch=True)


@given(st.dictionaries(RELATIONS, st.sampled_from(MODES), min_size=1, max_size=4))
def test_locks_come_back(wanted: dict[str, str]) -> None:
    value = ", ".join(f"{relation}: {mode}" for relation, mode in wanted.items())
    assert locks(value) == value
    assert pairs(value) == wanted


def test_nothing_is_a_claim_too() -> None:
    assert (locks("nothing"), pairs("nothing")) == ("nothing", {})


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        "a: ",
        "a: share",
        "a: SHARE,b: SHARE",
        "a: SHARE, ",
        "a: SHARE, nothing",
        ": SHARE",
        "a: SHARES",
        "a: SHARE, a: EXCLUSIVE",
    ],
)
def test_what_cannot_be_meant_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="relation"):
        locks(value)


@pytest.mark.parametrize("value", BLOCKS)
def test_blocks(value: str) -> None:
    assert blocks(value) == value


@pytest.mark.parametrize("value", ["", "all", "Reads", "reads, writes"])
def test_other_blocks_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="one of nothing, reads"):
        blocks(value)


def test_yes_or_no() -> None:
    assert [yes_or_no(value) for value in ("yes", "no")] == ["yes", "no"]
    with pytest.raises(ValueError, match="yes or no"):
        yes_or_no("true")
