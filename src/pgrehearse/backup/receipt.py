"""A receipt: what was proven of one backup of one database, to and from JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pgrehearse.backup.levels import EvidenceLevel

__all__ = ["FORM", "Evidence", "Receipt", "UnreadableReceipt"]

#: Version of the JSON form. A receipt of another version is not read.
FORM = 1


class UnreadableReceipt(Exception):
    """What should be a receipt is none; the message says why, in words that follow its name."""


@dataclass(frozen=True)
class Evidence:
    """One thing that was looked at.

    Attributes:
        level: what it belongs to.
        check: its name, the same for every adapter that looks at such a thing.
        ok: whether it is proven.
        said: what was seen; of what is not proven, what is missing.
        next_step: what to do about what is missing.
        seconds: how long it took.
        damage: it is wrong, and not only unproven: then nothing further was tried.
    """

    level: EvidenceLevel
    check: str
    ok: bool
    said: str
    next_step: str = ""
    seconds: float = 0.0
    damage: bool = False


@dataclass(frozen=True)
class Receipt:
    """What was proven.

    Attributes:
        adapter: that looked.
        backup: what it is called there, such as the name of its folder.
        digest: SHA-256 of the manifest, or of what the adapter has instead: another backup has another one.
        database: that was asked.
        system_identifier: of the server, read from the backup; empty where it cannot be known, as of a dump.
        timeline: of the backup; None likewise.
        start_lsn, end_lsn: of the backup; empty likewise.
        major: of the server.
        bytes: of the restored copy; 0 where there was none.
        taken: when the backup was complete.
        verified: when this was written.
        expires: from when it says nothing any more.
        ledger: newest migration read back from the copy; empty where it has none.
        canary: the row that was read back; empty where none was.
        tools: program -> version.
        evidence: in the order it was found.
    """

    adapter: str
    backup: str
    digest: str
    database: str
    system_identifier: str
    timeline: int | None
    start_lsn: str
    end_lsn: str
    major: int
    bytes: int
    taken: datetime
    verified: datetime
    expires: datetime
    ledger: str = ""
    canary: str = ""
    tools: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()

    @property
    def level(self) -> EvidenceLevel | None:
        """The highest level that is proven with all before it; None: not even the first."""
        reached = None
        for level in EvidenceLevel:
            lines = [one for one in self.evidence if one.level is level]
            if not lines or not all(one.ok for one in lines):
                break
            reached = level
        return reached

    @property
    def damaged(self) -> bool:
        """Whether something is wrong with it, at whatever level: then it is enough for nothing."""
        return any(one.damage for one in self.evidence)

    @property
    def missing(self) -> list[Evidence]:
        """What was looked at and is not proven."""
        return [one for one in self.evidence if not one.ok]

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "form": FORM,
            "adapter": self.adapter,
            "backup": self.backup,
            "digest": self.digest,
            "database": self.database,
            "system_identifier": self.system_identifier,
            "timeline": self.timeline,
            "start_lsn": self.start_lsn,
            "end_lsn": self.end_lsn,
            "major": self.major,
            "bytes": self.bytes,
            "taken": self.taken.isoformat(),
            "verified": self.verified.isoformat(),
            "expires": self.expires.isoformat(),
            "level": self.level.word if self.level else None,
            "ledger": self.ledger,
            "canary": self.canary,
            "tools": dict(self.tools),
            "evidence": [
                {
                    "level": one.level.word,
                    "check": one.check,
                    "ok": one.ok,
                    "damage": one.damage,
                    "said": one.said,
                    "next": one.next_step,
                    "seconds": round(one.seconds, 3),
                }
                for one in self.evidence
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Receipt:
        """Raises Unreadable: another version, a value is missing or of another kind, the level is false."""
        if data.get("form") != FORM:
            raise UnreadableReceipt(f"has the form {data.get('form')!r}, not {FORM}")
        try:
            texts = {name: _text(data[name]) for name in _TEXTS}
            found = cls(
                adapter=texts["adapter"],
                backup=texts["backup"],
                digest=texts["digest"],
                database=texts["database"],
                system_identifier=texts["system_identifier"],
                start_lsn=texts["start_lsn"],
                end_lsn=texts["end_lsn"],
                ledger=texts["ledger"],
                canary=texts["canary"],
                timeline=None if data["timeline"] is None else _whole(data["timeline"]),
                major=_whole(data["major"]),
                bytes=_whole(data["bytes"]),
                taken=_moment(data["taken"]),
                verified=_moment(data["verified"]),
                expires=_moment(data["expires"]),
                tools={_text(name): _text(version) for name, version in data["tools"].items()},
                evidence=tuple(_evidence(one) for one in data["evidence"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableReceipt(f"lacks or spoils a value: {error}") from None
        if data.get("level") != (found.level.word if found.level else None):
            raise UnreadableReceipt("claims another level than its evidence shows")
        return found

    @property
    def hash(self) -> str:
        """SHA-256 of its JSON: names it."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


_TEXTS = (
    "adapter",
    "backup",
    "digest",
    "database",
    "system_identifier",
    "start_lsn",
    "end_lsn",
    "ledger",
    "canary",
)


def _evidence(data: Mapping[str, Any]) -> Evidence:
    if not isinstance(data["ok"], bool) or not isinstance(data["damage"], bool):
        raise TypeError("ok and damage are true or false")
    return Evidence(
        EvidenceLevel.of(_text(data["level"])),
        _text(data["check"]),
        data["ok"],
        _text(data["said"]),
        _text(data["next"]),
        float(data["seconds"]),
        data["damage"],
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _moment(value: object) -> datetime:
    found = datetime.fromisoformat(_text(value))
    if found.tzinfo is None:
        raise ValueError(f"{value!r} names no time zone")
    return found
