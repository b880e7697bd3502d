"""The adapter of a command of your own, for what no adapter knows: such as a snapshot of a managed cloud.

It is called with a word and PLACE, and prints one JSON object; `FORMS` says which. Its exit status alone is
not believed: without the object it has failed. What it restores is asked as any copy is.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

import psycopg
from psycopg.conninfo import make_conninfo

from pgrehearse.backup import programs
from pgrehearse.backup.adapter import Adapter, BackupFacts, Copy
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.proof import Proof, Refused, Unproven
from pgrehearse.connections import connect
from pgrehearse.errors import SetupError, first_line

__all__ = ["FORMS", "OwnCommand"]

#: word -> what the command does, and what the object holds. The reference page shows this table.
FORMS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "list": (
        "say what the backup is",
        {
            "backup": "its name, such as the id of the snapshot",
            "taken": "when it was complete, ISO 8601 with a time zone",
            "bytes": "of the backup; may be left out",
            "major": "of PostgreSQL; may be left out",
            "system_identifier": "of the server; may be left out",
            "timeline": "may be left out",
            "end_lsn": "where in the WAL it ends; may be left out",
        },
    ),
    "read": (
        "read it whole, or say who has",
        {
            "whole": "true or false",
            "said": "what read it: these words are in the receipt, as the command's own",
        },
    ),
    "restore": (
        "restore it to a server of its own, and return when that answers",
        {
            "dsn": "how to connect to it; a password stands in a password file, not here",
            "physical": "true: a copy of the server's files, with its system identifier",
        },
    ),
    "remove": ("take that server away again; called whatever happened", {"removed": "true or false"}),
    "take": ("make a backup", {"backup": "its name"}),
}
_CONTRACT = "see the contract: docs/reference/backups.md"


class OwnCommand(Adapter):
    """``place`` is what the command takes for it."""

    name = "command"
    makes = "whatever the command makes: such as a snapshot of a managed cloud"
    needs = "the command"
    knows: ClassVar[Mapping[str, str]] = {"run": "the command, with its arguments"}

    def listed(self, proof: Proof) -> BackupFacts:
        with proof.proving(EvidenceLevel.LISTED, "manifest") as said:
            found = self._called("list")
            facts = _facts(found)
            said.append(f"{facts.backup}, as {self._shown} says")
        return facts

    def read(self, facts: BackupFacts, proof: Proof) -> None:
        with proof.proving(EvidenceLevel.READ, "checksums") as said:
            found = self._called("read")
            if not _is(found, "whole", bool):
                raise Unproven(
                    f"{self._shown} has not read it whole: {_is(found, 'said', str)}",
                    "let its `read` do so, or ask for no more than listed",
                )
            said.append(f"{_is(found, 'said', str)}, as {self._shown} says")

    @contextmanager
    def restored(self, facts: BackupFacts, proof: Proof) -> Iterator[Copy]:
        try:
            with proof.proving(EvidenceLevel.RESTORED, "copied") as said:
                found = self._called("restore")
                dsn, physical = _is(found, "dsn", str), _is(found, "physical", bool)
                said.append(f"by {self._shown}")
            with proof.proving(EvidenceLevel.RESTORED, "recovery") as said:
                said.append(self._apart(dsn))
            yield Copy(lambda name: make_conninfo(dsn, dbname=name), physical=physical)
        finally:
            with proof.proving(EvidenceLevel.RESTORED, "removed") as said:
                if not _is(self._called("remove"), "removed", bool):
                    raise Unproven("the restored server was not taken away", "take it away by hand")
                said.append("the restored server was taken away")

    def take(self) -> None:
        _is(self._called("take"), "backup", str)

    # --- the command ------------------------------------------------------------------------------------

    @property
    def _command(self) -> list[str]:
        try:
            words = shlex.split(self.work.options.get("run", ""))
        except ValueError as error:
            raise SetupError(f"the command cannot be taken apart: {error}", next_step=_CONTRACT) from None
        if not words:
            raise SetupError("no command is named", next_step='name it: --option run="COMMAND ARGUMENTS"')
        if shutil.which(words[0]) is None:
            raise SetupError(f"no program {words[0]} is here", next_step="check the path")
        return words

    @property
    def _shown(self) -> str:
        return self._command[0].rpartition("/")[2]

    def _called(self, word: str) -> Mapping[str, Any]:
        """The object. Raises SetupError: it failed, or printed none."""
        done = programs.run(
            [*self._command, word, self.place],
            watch=lambda _: self.work.progress(f"{self._shown} {word}", 0, 0),
        )
        if done.status != 0:
            raise SetupError(f"{self._shown} {word} failed: {done.reason}", next_step=_CONTRACT)
        try:
            found = json.loads(done.out)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise SetupError(f"{self._shown} {word} exits 0 and prints no JSON object", next_step=_CONTRACT)
        return found

    def _apart(self, dsn: str) -> str:
        """That the endpoint is no server of the original, told by a lock; a system identifier cannot tell."""
        key = secrets.randbits(62)
        try:
            with connect(self.original.target.conninfo) as one:
                one.read_only = True
                one.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", [key])
                with connect(make_conninfo(dsn, dbname=self.original.database)) as other:
                    other.read_only = True
                    row = other.execute(_SEEN, [key >> 32, key & 0xFFFFFFFF]).fetchone()
        except psycopg.Error as error:
            raise Refused(f"the restored server does not answer: {first_line(error)}", _CONTRACT) from None
        assert row is not None
        seen, recovering, host = row
        if seen:
            raise Refused(
                f"what {self._shown} calls restored is the server of {self.original.database} itself",
                "let its `restore` make another server; nothing was changed",
            )
        if recovering:
            raise Refused("the restored server is still in recovery", "let `restore` wait until it has ended")
        return f"another server answers{f' at {host}' if host else ''}, and its recovery has ended"


_SEEN = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_locks
                WHERE locktype = 'advisory' AND classid = %s::bigint::oid AND objid = %s::bigint::oid),
       pg_catalog.pg_is_in_recovery(), pg_catalog.host(pg_catalog.inet_server_addr())
"""


def _facts(found: Mapping[str, Any]) -> BackupFacts:
    backup = _is(found, "backup", str)
    try:
        taken = datetime.fromisoformat(_is(found, "taken", str))
        if taken.tzinfo is None:
            raise ValueError
    except ValueError:
        raise SetupError(
            f"its `taken` is no time with a zone: {found['taken']!r}", next_step=_CONTRACT
        ) from None
    timeline = found.get("timeline")
    return BackupFacts(
        backup,
        hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest(),
        taken,
        _is(found, "bytes", int, 0),
        _is(found, "major", int, 0),
        _is(found, "system_identifier", str, ""),
        None if timeline is None else _is(found, "timeline", int),
        end_lsn=_is(found, "end_lsn", str, ""),
    )


def _is(found: Mapping[str, Any], name: str, kind: Callable[..., Any], default: Any = None) -> Any:
    """A value of a kind. Raises SetupError: it is missing or of another kind."""
    value = found.get(name, default)
    if type(value) is not kind:
        raise SetupError(
            f"its `{name}` is {'missing' if value is None else repr(value)}", next_step=_CONTRACT
        )
    return value
