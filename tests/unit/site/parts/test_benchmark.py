"""Numbers of benchmarks on pages come from their files, or the page is not built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.site.parts.benchmark import figure


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "benchmarks").mkdir()
    held = {"date": "2026-11-30", "1000": {"seconds": 22.28, "mb": 1044.9, "ratio": 5.44, "least": 0.041}}
    (tmp_path / "benchmarks" / "fleet.json").write_text(json.dumps(held))
    (tmp_path / "benchmarks" / "broken.json").write_text("{")
    return tmp_path


@pytest.mark.parametrize(
    ("keys", "places", "said"),
    [
        (("date",), None, "2026-11-30"),
        (("1000", "seconds"), None, "22"),
        (("1000", "seconds"), 1, "22.3"),
        (("1000", "mb"), None, "1,045"),
        (("1000", "ratio"), None, "5.4"),
        (("1000", "least"), None, "0.041"),
    ],
)
def test_a_number_is_that_of_the_file(
    root: Path, keys: tuple[str, ...], places: int | None, said: str
) -> None:
    assert figure(root, "fleet", *keys, places=places) == said


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("fleet", ("10",)),
        ("fleet", ("1000", "none")),
        ("fleet", ("1000",)),
        ("nothing", ("x",)),
        ("broken", ("x",)),
    ],
)
def test_what_is_not_there_is_refused_by_name(root: Path, name: str, keys: tuple[str, ...]) -> None:
    with pytest.raises(DocumentError, match="names no number") as caught:
        figure(root, name, *keys)
    assert caught.value.location == f"benchmarks/{name}.json"
