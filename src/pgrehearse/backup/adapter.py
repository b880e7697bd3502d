"""What every adapter can do: tell what a backup is, read it whole, make a copy that can be asked, take one.

An adapter is the only module that knows the program that made a backup. It believes no exit status that was
measured to lie; what it cannot show it says by `Unproven`, what is damaged by `Refused`. The order, the
questions to the copy, receipts and gates are the same for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from pgrehearse.backup.original import Original
from pgrehearse.backup.proof import Proof

__all__ = ["Adapter", "BackupFacts", "Copy", "WorkOptions"]


@dataclass(frozen=True)
class BackupFacts:
    """What a backup says of itself, before anything is proven. See `receipt.Receipt` for the fields."""

    backup: str
    digest: str
    taken: datetime
    bytes: int = 0
    major: int = 0
    system_identifier: str = ""
    timeline: int | None = None
    start_lsn: str = ""
    end_lsn: str = ""
    tools: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Copy:
    """A restored copy that answers.

    Attributes:
        dsn: database -> connection string of a role that may read all of it.
        physical: it is a copy of the server's files, with its identifier and its positions in the WAL.
        bytes: that it takes.
    """

    dsn: Callable[[str], str]
    physical: bool
    bytes: int = 0


@dataclass
class WorkOptions:
    """How to work.

    Attributes:
        into: the folder below which copies are made; None: where temporary files go.
        jobs: processes that read, copy or check at the same time.
        progress: called with what is being done, bytes done and bytes to do (0: not known).
        tell: called with a line for people.
        options: of the adapter, as the command line has them: name -> value.
    """

    into: Path | None = None
    jobs: int = 1
    progress: Callable[[str, int, int], None] = lambda what, done, total: None
    tell: Callable[[str], None] = lambda line: None
    options: Mapping[str, str] = field(default_factory=dict)


class Adapter(ABC):
    """One backup at ``place``, seen through the program that made it, or will make it.

    Attributes:
        name: as ``--adapter`` spells it.
        makes: what it makes and reads, in words for the reference page.
        needs: programs it calls, likewise.
        knows: options that `WorkOptions.options` may hold -> what each means.
        copies: `restored` serves a copy that is disarmed, so `read` may go on beside it.
    """

    name: ClassVar[str]
    makes: ClassVar[str]
    needs: ClassVar[str]
    knows: ClassVar[Mapping[str, str]] = {}
    copies: ClassVar[bool] = False

    def __init__(self, place: str, original: Original, work: WorkOptions) -> None:
        """``original``: the database that was backed up, or will be. Nothing is looked at yet."""
        self.place, self.original, self.work = place, original, work

    @classmethod
    def recognizes(cls, place: str) -> bool:
        """Whether a backup of this kind lies at ``place``, by its look only."""
        return False

    @abstractmethod
    def listed(self, proof: Proof) -> BackupFacts:
        """What the backup says of itself. Lines of `Level.LISTED`. Raises Refused: it is none."""

    @abstractmethod
    def read(self, facts: BackupFacts, proof: Proof) -> None:
        """Read every byte against its checksums. Lines of `Level.READ`. Raises Refused: it is damaged."""

    @abstractmethod
    def restored(self, facts: BackupFacts, proof: Proof) -> AbstractContextManager[Copy]:
        """A copy, as long as the block runs; nothing of it is left after it. Lines of `Level.RESTORED`.

        Never the server or a folder of the original. Raises Refused: it cannot be restored.
        """

    @abstractmethod
    def take(self) -> None:
        """Make a backup at ``place`` of the server of ``original``.

        What is interrupted leaves nothing that could be taken for a backup. Raises SetupError.
        """
