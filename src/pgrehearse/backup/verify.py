"""A backup is proven, from listed to canary read back; what was seen is the receipt."""

from __future__ import annotations

from datetime import timedelta

from pgrehearse import clock
from pgrehearse.backup import beside
from pgrehearse.backup.adapter import Adapter, BackupFacts
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.original import Original
from pgrehearse.backup.proof import Proof, Refused, Unproven
from pgrehearse.backup.questions import Answers, ask
from pgrehearse.backup.receipt import Receipt
from pgrehearse.errors import ExpectationError

__all__ = ["compared", "verify"]

#: A clock may be that far behind the one of the server.
_SKEW = timedelta(minutes=5)


def verify(adapter: Adapter, original: Original, proof: Proof, age: timedelta) -> Receipt:
    """The receipt, of a backup that is good or damaged. ``age``: how long it is to count after it was taken.

    Raises ExpectationError: it is no backup, so there is nothing a receipt could be of.
    """
    try:
        facts = adapter.listed(proof)
    except Refused as refused:
        raise ExpectationError(f"{adapter.place}: {refused.said}", next_step=refused.next_step) from None
    answers, size = Answers(), 0
    try:
        compared(facts, original, proof)
        with beside.read(adapter, facts, proof), adapter.restored(facts, proof) as copy:
            size = copy.bytes
            answers = ask(copy, facts, original, proof, adapter.work)
    except Refused:
        pass  # it is among the lines
    # A file's time is when it was last copied; the canary's row knows better.
    taken = facts.taken if facts.system_identifier else answers.at or facts.taken
    return Receipt(
        adapter=adapter.name,
        backup=facts.backup,
        digest=facts.digest,
        database=original.database,
        system_identifier=facts.system_identifier,
        timeline=facts.timeline,
        start_lsn=facts.start_lsn,
        end_lsn=facts.end_lsn,
        major=facts.major,
        bytes=size,
        taken=taken,
        verified=clock.now(),
        expires=taken + age,
        ledger=answers.ledger,
        canary=answers.canary,
        tools=facts.tools,
        evidence=tuple(proof.lines),
    )


def compared(facts: BackupFacts, original: Original, proof: Proof) -> None:
    """What the backup says of its server, against the server."""
    with proof.proving(EvidenceLevel.LISTED, "server") as said:
        if facts.system_identifier and facts.system_identifier != original.system_identifier:
            raise Refused(
                f"it is of the server {facts.system_identifier}, and {original.database} is on"
                f" {original.system_identifier}",
                "this is a backup of another server: check the path",
            )
        if facts.major and facts.major != original.target.major:
            raise Refused(
                f"it is of PostgreSQL {facts.major}, and {original.database} is on {original.target.major}",
                "take a new one: pgrehearse backup take",
            )
        if facts.timeline is not None and facts.timeline != original.timeline:
            raise Unproven(
                f"it is of timeline {facts.timeline}, and the server is on {original.timeline} since a"
                " fail-over or a restore",
                "take a new one: pgrehearse backup take",
            )
        if facts.taken > clock.now() + _SKEW:
            raise Unproven(
                f"it was taken in the future, {facts.taken:%Y-%m-%d %H:%M:%S}", "set the clock right"
            )
        of = (
            f"of server {facts.system_identifier}, timeline {facts.timeline}"
            if facts.system_identifier
            else ""
        )
        said.append(f"{of or 'it does not say of which server'}, taken {facts.taken:%Y-%m-%d %H:%M:%S %Z}")
