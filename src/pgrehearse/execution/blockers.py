"""Who makes a session wait, asked on a connection of its own."""

from __future__ import annotations

from pgrehearse.execution.session import Message, Session

__all__ = ["Blockers"]

_BLOCKERS = "SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids({pid}))::text"
#: Who holds a lock that could make somebody of this database wait; 0 is a prepared transaction.
_HOLDERS = """
SELECT DISTINCT coalesce(pid, 0)::text FROM pg_catalog.pg_locks
WHERE granted AND (pid IS NULL OR pid NOT IN ({pid}, pg_catalog.pg_backend_pid()))
  AND (database IS NULL OR database = 0 OR database = (
      SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
"""


class Blockers:
    """Answers who blocks whom. It connects when it is first asked."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._session: Session | None = None

    @property
    def pid(self) -> int | None:
        """The process id of its own connection; None before there is one."""
        return self._session.pid if self._session else None

    def of(self, session: Session) -> set[int]:
        """Process ids that block ``session`` right now, from ``pg_blocking_pids``."""
        return self._pids(_BLOCKERS.format(pid=session.pid))

    def gave_up_on(self, session: Session, wanted: Session) -> bool:
        """Whether ``session``, whose lock_timeout came before anybody looked, had waited for ``wanted``.

        That it waited, the server says: no other limit ends with this error there. ``wanted`` it was when
        nobody else holds a lock; it still holds what it held, because nothing ran in it meanwhile.
        """
        error = session.error
        if error is None or not error.interrupted or error.sqlstate != "55P03":
            return False
        return self._pids(_HOLDERS.format(pid=session.pid)) == {wanted.pid}

    def close(self) -> None:
        """Close the connection; one that is asked again opens another."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def _pids(self, question: str) -> set[int]:
        if self._session is None:
            self._session = Session("monitor", self._conninfo)
        if self._session.run([Message(question, 1)]) is not None:
            return set()
        return {int(word) for word in self._session.output[0].split("\n")[2:-1]}
