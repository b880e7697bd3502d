"""How the session of a run begins."""

from __future__ import annotations

from pgrehearse.errors import SetupError
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.runbook.lock_waits import LockWaits
from pgrehearse.execution.session import Message, Session
from pgrehearse.text.variables import quote_literal

__all__ = [
    "limit_lock_waits",
    "read_backslashes_as_they_are",
    "refuse_to_only_read",
    "refuse_to_pass_triggers_by",
]


def limit_lock_waits(executor: Executor, lock_waits: LockWaits) -> None:
    """Set lock_timeout before the first step, for SQL and Python; a step may set its own.

    The server also looks every second whether this process is still there: the statement of a run that was
    killed must not go on beside the run that resumes it. Raises SetupError: the value was refused.
    """
    literal = quote_literal(lock_waits.first)
    session = _set(executor, [f"SET lock_timeout = {literal}", "SHOW lock_timeout"])
    reason = session.error.text if session.error else ""
    value = "" if session.error else session.output[1].split("\n")[2].strip()
    if reason or value == "0":
        raise SetupError(
            f"--lock-timeout was refused: {reason or '0 means to wait without end'}",
            next_step="write it as 2s or 500ms",
        )
    options = [executor.python.environment.get("PGOPTIONS", ""), f"-c lock_timeout={value}"]
    if _set(executor, ["SET client_connection_check_interval = '1s'"]).error is None:
        options.append("-c client_connection_check_interval=1s")  # not on every platform
    executor.python.environment["PGOPTIONS"] = " ".join(options).strip()


def read_backslashes_as_they_are(executor: Executor) -> None:
    """A runbook's strings hold backslashes; a role that reads them as escapes finds other things.

    Such a role has standard_conforming_strings off.
    """
    _set(executor, ["SET standard_conforming_strings = on"])


def refuse_to_only_read(executor: Executor) -> None:
    """A role or database may begin every transaction read-only. Raises SetupError: this one does.

    Steps would fail one by one; and somebody meant it, so it is not overruled.
    """
    session = _set(executor, ["SHOW default_transaction_read_only"])
    if session.error is None and session.output[0].split("\n")[2].strip() == "on":
        raise SetupError(
            "this role's transactions are read-only (default_transaction_read_only), and a runbook writes",
            next_step="say that you mean it: --dsn \"... options='-c default_transaction_read_only=off'\"",
        )


def refuse_to_pass_triggers_by(executor: Executor) -> None:
    """A role may be one that loads data, for which no trigger and no foreign key counts.

    Raises SetupError: this one is, and what a step writes would break them without a word.
    """
    session = _set(executor, ["SHOW session_replication_role"])
    if session.error is None and session.output[0].split("\n")[2].strip() == "replica":
        raise SetupError(
            "this session passes foreign keys and triggers by (session_replication_role is replica)",
            next_step="RESET that setting of the role, the database or PGOPTIONS, or run it as another role",
        )


def _set(executor: Executor, statements: list[str]) -> Session:
    session = executor.session("main")
    session.run([Message(statement, 1) for statement in statements])
    return session
