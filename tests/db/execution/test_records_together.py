"""Processes that record the same document at the same time lose nothing."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from pgrehearse.execution.records import Run, load, save, text_digest
from support.waiting import wait_until

WORKERS, EACH = 4, 25


def test_processes_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("forkserver")) as pool:
        list(pool.map(partial(_save_some, tmp_path), range(WORKERS)))
    assert len(load(tmp_path, "docs/a.md").runs) == WORKERS * EACH


def _save_some(folder: Path, worker: int) -> None:
    (folder / f"ready{worker}").touch()
    wait_until(lambda: len(list(folder.glob("ready*"))) == WORKERS, "all are ready")
    for number in range(EACH):
        save(
            folder,
            "docs/a.md",
            EACH * worker + number,
            Run("18.1", "2026-01-02", text_digest("text"), 1.5, ()),
        )
