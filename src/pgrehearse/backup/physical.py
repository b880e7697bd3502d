"""A copy of a data directory: disarmed, started, its recovery proven.

A copy must not act for the original. Started as it is, it archives into the original's archive, and the next
real restore follows its timeline; it connects to its primary or its publishers, runs its jobs, and writes
through the links of its tablespaces into the original's. So nothing of its configuration is read: neither
postgresql.conf, which may name libraries and archives, nor what ALTER SYSTEM wrote, nor pg_hba.conf.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from pgrehearse.backup.adapter import BackupFacts, Copy, WorkOptions
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.original import Original
from pgrehearse.backup.proof import Proof, Refused
from pgrehearse.backup.room import full, size_of
from pgrehearse.connections import connect
from pgrehearse.errors import SetupError, first_line
from pgrehearse.servers import Server, given

__all__ = ["DISARMED", "asked_by", "served"]

#: Seconds without a word in the log. Recovery says every ten what it does.
_QUIET = 600.0
#: What the copy runs with, whatever its files say. -> why
DISARMED: Mapping[str, tuple[str, str]] = {
    "archive_mode": ("off", "its WAL must not reach the original's archive"),
    "archive_command": ("", "the same"),
    "listen_addresses": ("", "only we connect, on a private socket"),
    "max_logical_replication_workers": (
        "0",
        "its subscriptions must not take what is meant for the original",
    ),
    "max_wal_senders": ("0", "nobody replicates from it"),
    "primary_conninfo": ("", "it must not follow the original"),
    "primary_slot_name": ("", "the same"),
    "shared_preload_libraries": ("", "its background workers, such as cron's, must not run jobs"),
    "event_triggers": ("off", "its login triggers must not run; since 17"),
    "hot_standby": ("off", "who connects knows that recovery has ended"),
    "autovacuum": ("off", "nothing changes while it is looked at"),
    "jit": ("off", "checks are short"),
    "fsync": ("off", "it is thrown away"),
    "full_page_writes": ("off", "the same"),
    "ssl": ("off", "its keys may lie elsewhere"),
    "lc_messages": ("C", "its log is read by this program"),
    "log_min_messages": ("warning", "the same"),
    "logging_collector": ("off", "the same"),
    "log_destination": ("stderr", "the same"),
    "shared_buffers": ("128MB", "whatever the original has"),
    "max_connections": ("40", "the same"),
}
_SESSION = {
    "search_path": "pg_catalog",
    "session_preload_libraries": "",
    "default_transaction_read_only": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "role": "none",
}
#: In the copy's folder: what belongs to a standby, to other servers, or to a time before.
_GONE = ("standby.signal", "postmaster.pid", "postmaster.opts", "postgresql.auto.conf", "tablespace_map")


@contextmanager
def served(
    place: Path,
    facts: BackupFacts,
    original: Original,
    proof: Proof,
    work: WorkOptions,
    settings: Mapping[str, str] = {},
) -> Iterator[Copy]:
    """Serve ``place/data``, a copy of ``facts.major``, until the block ends. Then ``place`` is gone.

    Args:
        place: a folder of `room.room`; its ``data`` is complete, its tablespaces lie below ``place``.
        settings: for recovery, such as ``restore_command`` and ``recovery_target_lsn``. With one that names a
            target, the target must be reached: PostgreSQL refuses otherwise, and so do we.

    Lines ``disarmed`` and ``recovery`` of `EvidenceLevel.RESTORED`. Raises Refused.
    """
    size = size_of(place)
    with proof.proving(EvidenceLevel.RESTORED, "disarmed") as said:
        said.append(_disarm(place, recovery=bool(settings)))
    with proof.proving(EvidenceLevel.RESTORED, "recovery") as said:
        work.progress("recovery", 0, 0)
        try:
            server = given.serve(
                place,
                facts.major,
                {**_settings(place, facts.major), **settings, **_targeted(settings)},
                user=original.superuser,
                quiet=_QUIET,
                watch=lambda: work.progress("recovery", 0, 0),
            )
        except SetupError as error:
            full(error.message)
            raise _not_started(error) from None
        try:
            said.append(_reached(asked_by(server, original.database), facts))
        except psycopg.Error as error:
            server.stop()
            raise Refused(
                f"the copy does not let us in: {first_line(error)}",
                f"take one that holds {original.database} and the role {original.superuser}",
            ) from None
        except BaseException:
            server.stop()
            raise
    try:
        yield Copy(lambda name: asked_by(server, name), physical=True, bytes=size)
    finally:
        server.stop()


def asked_by(server: Server, database: str) -> str:
    """How the copy is connected to: what ALTER ROLE and ALTER DATABASE set in the original has no say."""
    options = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    return make_conninfo(server.dsn(database), options=options)


def _disarm(place: Path, *, recovery: bool) -> str:
    """Take away what makes it act for the original; what was done, in words."""
    data = place / "data"
    inside = place.resolve()
    for link in (data / "pg_tblspc").iterdir() if (data / "pg_tblspc").is_dir() else ():
        if link.is_symlink() and not link.resolve().is_relative_to(inside):
            raise Refused(
                f"the tablespace {link.name} of the copy leads to {link.resolve()}, outside of the copy",
                "this is a bug of the adapter: report it; the copy was not started",
            )
    wal = data / "pg_wal"
    if wal.is_symlink() and not wal.resolve().is_relative_to(inside):
        raise Refused(f"pg_wal of the copy leads to {wal.resolve()}, outside of the copy", "report it")
    done = [name for name in _GONE if (data / name).exists()]
    for name in done:
        (data / name).unlink()
    slots = [one for one in (data / "pg_replslot").glob("*") if one.is_dir()]
    for slot in slots:
        shutil.rmtree(slot)
    if recovery:
        (data / "recovery.signal").touch()
    else:
        (data / "recovery.signal").unlink(missing_ok=True)
    (place / "postgresql.conf").write_text("", "utf-8")
    (place / "pg_hba.conf").write_text("local all all trust\n", "utf-8")
    (place / "pg_ident.conf").write_text("", "utf-8")
    (data / "postgresql.auto.conf").touch()
    return ", ".join(
        [
            "on a private socket, archiving, replication and jobs off",
            *([f"{len(slots)} replication slot{'s' * (len(slots) != 1)} removed"] if slots else []),
        ]
    )


def _settings(place: Path, major: int) -> dict[str, str]:
    files = {
        "config_file": str(place / "postgresql.conf"),
        "hba_file": str(place / "pg_hba.conf"),
        "ident_file": str(place / "pg_ident.conf"),
    }
    disarmed = {
        name: value for name, (value, _) in DISARMED.items() if name != "event_triggers" or major >= 17
    }
    # Enough for every prepared transaction that the original may have had open.
    return {**disarmed, **files, "max_prepared_transactions": "1000"}


def _targeted(settings: Mapping[str, str]) -> dict[str, str]:
    """It shall open where it has stopped; with paused recovery nobody could write an extension into it."""
    named = any(name.startswith("recovery_target") and value for name, value in settings.items())
    return {"recovery_target_action": "promote"} if named else {}


def _reached(dsn: str, facts: BackupFacts) -> str:
    """Where recovery has ended, asked of the copy itself: pg_ctl says "started" of one that ends later."""
    with connect(dsn, autocommit=True) as connection:
        row = connection.execute(
            """
            SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_current_wal_lsn()::text,
                   pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8),
                   (SELECT system_identifier::text FROM pg_catalog.pg_control_system()),
                   pg_catalog.pg_current_wal_lsn() >= NULLIF(%s, '')::pg_lsn
            """,
            [facts.end_lsn],
        ).fetchone()
    assert row is not None
    recovering, lsn, timeline, identifier, far_enough = row
    if recovering:
        raise Refused("the copy is still in recovery", "look at what its recovery waits for")
    if facts.system_identifier and identifier != facts.system_identifier:
        raise Refused(
            f"the copy has the system identifier {identifier}, its backup said {facts.system_identifier}",
            "parts of two backups were mixed: take a new one",
        )
    if far_enough is False:
        raise Refused(
            f"recovery ended at {lsn}, before the end of the backup at {facts.end_lsn}",
            "WAL of the backup is missing: take a new one",
        )
    return f"ended at {lsn} on timeline {int(timeline, 16)}, read-write"


def _not_started(error: SetupError) -> Refused:
    """The reason, from the server's own words."""
    lines = error.message.splitlines()
    worst = [
        line.split(word, 1)[1].strip() for line in lines for word in ("FATAL:", "PANIC:") if word in line
    ]
    # Our own attempts to connect were told so.
    own = [line for line in worst if not line.startswith("the database system is")]
    said = own[0] if own else lines[-1]
    target = "recovery target" in said or "recovery stop point" in said
    missed = "check what is named, and that the WAL file that holds it is archived"
    return Refused(f"the copy did not start: {said}", missed if target else error.next_step or "read its log")
