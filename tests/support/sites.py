"""A built site behind a web server of this machine, and which queries of readers belong to which page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["QUERIES", "pages", "serving"]

#: What readers type -> the page that has to come first.
QUERIES = {
    "add enum value": "runbooks/enum-add-value",
    "lock timeout": "stuck/lock-timeout",
    "55P03": "stuck/lock-timeout",
    "55P04": "stuck/new-enum-value",
    "invalid index": "runbooks/index-repair",
    "rename column": "runbooks/column-rename",
    "rename table": "runbooks/table-rename",
    "vacuum full": "runbooks/table-shrink",
    "pg_repack": "guides/give-space-back",
    "int to bigint": "runbooks/key-bigint",
    "cached plan must not change result type": "stuck/cached-plan",
    "deadlock detected": "stuck/deadlock",
    "drop column": "runbooks/column-drop",
    "add not null": "runbooks/constraint-not-null",
    "foreign key without locking": "runbooks/constraint-foreign-key",
    "pgbouncer": "stuck/prepared-statement-and-pooler",
    "rollback": "guides/roll-back-migrations",
    "stuck migration": "stuck/migration-half-applied",
    "canceling statement due to lock timeout": "stuck/lock-timeout",
    "long running transaction": "stuck/table-is-locked",
    "idle in transaction": "stuck/table-is-locked",
    "partition": "runbooks/index-partitioned",
    "default value": "runbooks/column-add",
    "primary key": "runbooks/constraint-primary-key",
    "backup": "guides/verify-a-backup-before-you-migrate",
    "drift": "guides/detect-drift",
    "dbmate": "guides/migration-tools",
    "alembic": "guides/changes-in-your-tool",
    "table locked": "stuck/table-is-locked",
    "who is blocking": "stuck/table-is-locked",
    "pg_terminate_backend": "stuck/table-is-locked",
    "autovacuum": "stuck/table-is-locked",
    "wraparound": "stuck/table-is-locked",
    "replica": "stuck/canceled-on-a-standby",
    "subscription": "stuck/subscription-stopped",
    "40001": "stuck/canceled-on-a-standby",
    "26000": "stuck/prepared-statement-and-pooler",
    "who is waiting": "stuck/table-is-locked",
    "kill a query": "stuck/table-is-locked",
    "57014": "stuck/statement-canceled",
    "40P01": "stuck/deadlock",
    "25001": "stuck/inside-a-transaction",
    "42P07": "stuck/relation-already-exists",
    "0A000": "stuck/cached-plan",
    "42P05": "stuck/prepared-statement-and-pooler",
    "no space left on device": "stuck/disk-is-filling",
    "dirty database": "stuck/migration-half-applied",
    "something is stuck": "stuck",
    "safe migration": "guides/safe-changes",
    "alter table hangs": "stuck/table-is-locked",
    "blocked query": "stuck/table-is-locked",
    "prepared transaction": "stuck/table-is-locked",
    "lock_timeout": "stuck/lock-timeout",
    "deadlocks": "stuck/deadlock",
    "conflict with recovery": "stuck/canceled-on-a-standby",
    "prepared statement does not exist": "stuck/prepared-statement-and-pooler",
    "remove enum value": "runbooks/enum-remove-value",
    "rename enum value": "runbooks/enum-rename-value",
    "create index": "runbooks/index-create",
    "drop index": "runbooks/index-drop",
    "split column": "runbooks/column-split",
    "change column type": "runbooks/column-change-type",
    "unique constraint": "runbooks/constraint-unique",
    "add check constraint": "runbooks/constraint-check",
    "batch update": "runbooks/backfill-in-batches",
    "undo migration": "guides/roll-back-migrations",
    "restore": "guides/restore-after-a-failed-migration",
    "install": "guides/own-repository",
    "github actions": "guides/test-migrations",
    "flyway": "guides/migration-tools",
}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: a test prints its own."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # a page asks for a dozen files at once; one that is turned away waits a second


@contextmanager
def serving(site: Path) -> Iterator[str]:
    """The address of ``site``, without a final slash."""
    with _Server(("127.0.0.1", 0), partial(_Quiet, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def pages(site: Path) -> list[str]:
    """The addresses of all pages below ``site``, relative to it."""
    found = sorted(file.parent.relative_to(site).as_posix() for file in site.rglob("index.html"))
    return ["" if page == "." else f"{page}/" for page in found]
