"""The committed matrix of poolers against what runs here: a sample, and the probes without any pooler."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from pgrehearse import sealed
from pgrehearse.servers import Server
from support.databases import fresh
from support.pooling import FEATURES, MATRIX, MODES, Pool, tried
from support.programs import POOLERS

#: What only a pooler can be asked.
_OF_POOLERS = {"the same with `query_timeout = 1`"}


@pytest.mark.parametrize(("name", "mode"), [*zip(POOLERS, MODES, strict=True), (POOLERS[-1], MODES[1])])
def test_a_sample_comes_to_what_the_matrix_says(server: Server, name: str, mode: str) -> None:
    """All of it: tools/pooler_matrix.py."""
    committed = sealed.read(MATRIX)["features"]
    for feature, outcome in tried(name, mode, server).items():
        said = {each for each, by in committed[feature][mode].items() if server.major in by.get(name, [])}
        assert said == {outcome}, feature


def test_every_feature_is_in_the_matrix_once_for_each_mode_pooler_and_major() -> None:
    found = sealed.read(MATRIX)
    assert list(found["features"]) == list(FEATURES)
    majors = sorted(map(int, found["postgresql"]))
    for modes in found["features"].values():
        assert tuple(modes) == MODES
        for outcomes in modes.values():
            for name in POOLERS:
                assert sorted(major for by in outcomes.values() for major in by.get(name, [])) == majors


@pytest.mark.parametrize("feature", [each for each in FEATURES if each not in _OF_POOLERS])
def test_without_a_pooler_every_feature_works(server: Server, feature: str) -> None:
    """The control: what a probe finds is the pooler's doing."""
    with fresh(server) as dsn, ExitStack() as clients:
        found = FEATURES[feature][0](Pool(dsn, dsn, "session", clients))
    assert found == ("0A000 for the client that had it" if "ADD COLUMN" in feature else "works")
