"""A program that ends because a disk is full says nothing of the backup."""

from __future__ import annotations

import errno
import os

import pytest

from pgrehearse.backup import programs
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.proof import NoRoom, Proof
from pgrehearse.backup.room import full


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_no_word_on_the_backup(number: int) -> None:
    said = f"reading\npg_verifybackup: error: could not write: {os.strerror(number)}\n"
    proof = Proof()
    with (
        pytest.raises(NoRoom, match="a disk is full: pg_verifybackup"),
        proof.proving(EvidenceLevel.READ, "x"),
    ):
        programs.run(["sh", "-c", 'printf %s "$0" >&2; exit 1', said])
    assert proof.lines == []
    programs.run(["sh", "-c", 'printf %s "$0" >&2', said])  # it succeeded all the same
    full("could not read: Input/output error")
