"""``db new``: files that two people write at once, and names that no file can have."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from support.bench import Bench
from support.waiting import wait_until


def waits_for_a_folder(pid: int) -> bool:
    """As the kernel lists who waits for a lock on a file."""
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any("->" in words and "FLOCK" in words and str(pid) in words for words in lines)


def test_of_two_at_once_the_second_sees_the_first(bench: Bench) -> None:
    folder = bench.write("db/migrations/1_a.sql", "-- migrate:up\n-- migrate:down\n").parent
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    process = bench.start("db", "new", "second")
    wait_until(lambda: waits_for_a_folder(process.pid), "it waits for the folder")
    (folder / "99990101000000_first.sql").write_text("-- migrate:up\n-- migrate:down\n")
    os.close(handle)
    said = process.communicate()
    assert (process.returncode, said[0]) == (0, "db/migrations/99990101000001_second.sql\n"), said


def test_a_name_that_no_file_can_have(bench: Bench) -> None:
    ended = bench.call("db", "new", "a" * 300)
    assert (ended.status, "next: give it a shorter name" in ended.err) == (69, True), ended.err
