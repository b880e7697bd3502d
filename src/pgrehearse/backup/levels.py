"""How much is known of a backup: each level holds all levels before it."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["EvidenceLevel"]


class EvidenceLevel(IntEnum):
    """What was proven. Ordered: a later level is worth more, and nothing without those before it."""

    LISTED = 1
    READ = 2
    RESTORED = 3
    QUERIED = 4
    CANARY = 5

    @property
    def word(self) -> str:
        """As files and options spell it."""
        return self.name.lower()

    @property
    def said(self) -> str:
        """In words for people."""
        return _SAID[self][0]

    @property
    def means(self) -> str:
        """What has been done when this level is reached."""
        return _SAID[self][1]

    @classmethod
    def of(cls, word: str) -> EvidenceLevel:
        """The level that ``word`` spells. Raises KeyError."""
        return cls[word.upper()] if word.islower() else _unknown(word)


def _unknown(word: str) -> EvidenceLevel:
    raise KeyError(word)


_SAID = {
    EvidenceLevel.LISTED: (
        "listed",
        "it is there and says what it is: of which server, until where in its history, made when",
    ),
    EvidenceLevel.READ: ("read whole", "every byte was read and agrees with the checksums that came with it"),
    EvidenceLevel.RESTORED: (
        "restored",
        "a server was started on a copy, and recovery is known to have ended where it had to",
    ),
    EvidenceLevel.QUERIED: (
        "queried",
        "the copy answers: the same server and migrations, rows where there were rows, the constraints and"
        " triggers of its tables, indexes that agree with them",
    ),
    EvidenceLevel.CANARY: (
        "canary read back",
        "a row that was written just before the backup is in the copy",
    ),
}
