"""The sixth rehearsal: every runbook on every shape of ``zoo/`` is refused, or done as it must be.

``PGREHEARSE_ZOO`` chooses: nothing takes a small fixed sample, ``all`` everything, ``2/4`` the second of four
shards: of what evidence/zoo.json has for this server. Pairs that are known to be red stand in
``zoo/open.toml``; one of them that is green fails too.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgrehearse.measurement.evidence import zoo as evidence
from pgrehearse.measurement.zoo.fillings import Fillings
from pgrehearse.measurement.zoo.habitat import Zoo
from pgrehearse.measurement.zoo.known import KnownFaults
from pgrehearse.measurement.zoo.pairs import tried
from pgrehearse.measurement.zoo.shapes import Shape, shapes_of
from pgrehearse.servers import Servers
from pgrehearse.text.document import load
from pgrehearse.text.project import Project
from support import ROOT
from support.majors import TEST_MAJOR
from support.zoo import chosen

PROJECT = Project.at(ROOT)


@pytest.fixture(scope="module")
def zoo() -> Iterator[Zoo]:
    """On a server of its own: its roles have fixed names."""
    with Servers() as servers, Zoo(servers.get(TEST_MAJOR)) as made:
        yield made


def recorded(shape: Shape, major: int) -> tuple[str, ...]:
    """The runbooks that there is evidence of on this shape and server."""
    every = evidence.load(PROJECT).outcomes
    return tuple(sorted(name for name, on, where in every if (on, where) == (shape.name, str(major))))


@pytest.mark.parametrize(
    ("shape", "runbooks"), chosen(shapes_of(PROJECT)), ids=lambda v: getattr(v, "name", "")
)
def test_a_runbook_is_refused_or_done(zoo: Zoo, shape: Shape, runbooks: tuple[str, ...]) -> None:
    major = zoo.server.major
    if not shape.on(major):
        pytest.skip(f"no server of {major} can hold this shape")
    known, fillings = KnownFaults(PROJECT), Fillings(PROJECT)
    wanted = runbooks or recorded(shape, major)
    if not wanted:
        pytest.skip(
            f"never tried on PostgreSQL {major}: "
            f"pgrehearse rehearse --zoo --shape {shape.name} --pg {major} --refresh"
        )
    problems = []
    with zoo.habitat(shape) as habitat:
        for name in wanted:
            filling = fillings.of(name, shape)
            assert filling is not None, f"zoo/runbooks.toml: a name of {name} is missing"
            if runbooks and known.reason(name, shape.name, major):
                continue  # whether it is still red is asked by `make zoo`
            outcome = tried(habitat, load(PROJECT.runbooks / f"{name}.md"), filling)
            problems += [known.problem(name, shape.name, major, outcome)]
    assert [problem for problem in problems if problem] == []
