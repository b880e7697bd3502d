"""What is kept in the cache is believed only as it was written, for the question it was written for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.servers import remembered

ANSWER = {"digests": ["a", "b"], "notes": [], "text": "CREATE TABLE a (n int);\n\u00e9"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PGREHEARSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "drift"


def test_an_answer_comes_back_as_it_was(place: Path) -> None:
    remembered.keep("drift", "one", ANSWER)
    assert remembered.recall("drift", "one") == ANSWER
    assert [file.name for file in place.iterdir()] == ["one.json"]


def _edited(file: Path) -> None:
    file.write_text(file.read_text("utf-8").replace("CREATE TABLE a", "CREATE TABLE b"), "utf-8")


def _with_more(file: Path) -> None:
    value = json.loads(file.read_text("utf-8"))
    value["answer"]["digests"].append("c")
    file.write_text(json.dumps(value), "utf-8")


def _bare(file: Path) -> None:
    file.write_text(json.dumps(ANSWER), "utf-8")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def _nested(file: Path) -> None:
    file.write_text("[" * 100_000, "utf-8")


def _of_another(file: Path) -> None:
    remembered.keep("drift", "two", ANSWER)
    file.with_name("two.json").replace(file)


def _of_another_kind(file: Path) -> None:
    remembered.keep("made", "one", ANSWER)
    (file.parents[1] / "made" / "one.json").replace(file)


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    "damage", [_edited, _with_more, _bare, _cut, _nested, _of_another, _of_another_kind, _folder, Path.unlink]
)
def test_what_was_changed_or_is_of_another_question_is_no_answer(
    place: Path, damage: Callable[[Path], None]
) -> None:
    remembered.keep("drift", "one", ANSWER)
    damage(place / "one.json")
    with pytest.raises((ValueError, SetupError)):
        remembered.recall("drift", "one")


def test_the_oldest_make_room(place: Path) -> None:
    for number in range(5):
        remembered.keep("drift", str(number), number, most=3)
    assert len(list(place.iterdir())) == 3
    assert remembered.recall("drift", "4") == 4
