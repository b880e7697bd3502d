"""The queue by which databases reach workers: the one module that knows procrastinate.

A job says "promotion 3 has something to do", and nothing depends on it: a worker takes databases by
`visits.Visits.claim`, the ledgers there say what is done. So a job that is lost is put again, one that comes
twice finds nothing to do, and who writes into the queue can start nothing.

Nothing here needs a session of its own, so the queue may be reached through a pooler in transaction mode:
workers ask instead of listening, and no statement is prepared.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector, exceptions
from procrastinate.jobs import Job

from pgrehearse.connections import connect, in_utf8
from pgrehearse.errors import SetupError, first_line

__all__ = ["Queue", "opened", "serve"]

_TASK = "pgrehearse.visit"
#: Seconds between two questions of a worker that has nothing to do.
_PAUSE = 0.5
_WAITING = """
SELECT count(*) AS many FROM procrastinate_jobs
 WHERE queue_name = %(queue)s AND status = 'todo'
   AND args = jsonb_build_object('promotion', %(promotion)s::bigint)
"""
_CLEAR = """
DELETE FROM procrastinate_jobs
 WHERE queue_name = %(queue)s AND args -> 'promotion' = to_jsonb(%(promotion)s::bigint)
"""
_MADE = "SELECT pg_catalog.to_regclass('procrastinate_jobs') IS NOT NULL"
#: Two who come first at the same time: one makes the tables, in a transaction.
_ALONE = "SELECT pg_catalog.pg_advisory_xact_lock(1885827685, 1903523185)"
_SESSION: dict[str, Any] = {"prepare_threshold": None, "application_name": "pgrehearse queue"}


class Queue:
    """The jobs of one environment. Raises SetupError: the queue cannot be reached or written."""

    def __init__(self, app: App, name: str) -> None:
        self._app, self._name = app, name

    def waiting(self, promotion: int) -> int:
        """How many jobs of a promotion no worker has taken yet."""
        with _told():
            connector = self._app.connector.get_sync_connector()
            rows = connector.execute_query_all(_WAITING, queue=self._name, promotion=promotion)
        return int(rows[0]["many"])

    def put(self, promotion: int, many: int) -> None:
        """So many jobs more."""
        with _told():
            self._app.job_manager.batch_defer_jobs([self._job(promotion)] * many)

    def clear(self, promotion: int) -> None:
        """Remove what is left of a promotion that is done: the jobs of workers that are gone."""
        with _told():
            self._app.connector.get_sync_connector().execute_query(
                _CLEAR, queue=self._name, promotion=promotion
            )

    def _job(self, promotion: int) -> Job:
        return Job(
            id=None,
            queue=self._name,
            lock=None,
            queueing_lock=None,
            task_name=_TASK,
            task_kwargs={"promotion": promotion},
        )


@contextmanager
def opened(conninfo: str, name: str) -> Iterator[Queue]:
    """The queue ``name`` in the database of ``conninfo``; its tables are made where there are none."""
    connector = SyncPsycopgConnector(conninfo=in_utf8(conninfo), kwargs=_SESSION, min_size=1, max_size=2)
    app = App(connector=connector)
    _prepare(conninfo, app)
    with app.open():
        yield Queue(app, name)


def serve(conninfo: str, name: str, at_once: int, visit: Callable[[int], None], *, until_empty: bool) -> None:
    """Take jobs and call ``visit(promotion)``, ``at_once`` at a time, until SIGTERM or SIGINT.

    What is being worked at then is finished. ``until_empty``: end when no job is left.
    """
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # what is done and failed is in our tables
    connector = PsycopgConnector(
        conninfo=in_utf8(conninfo), kwargs=_SESSION, min_size=1, max_size=at_once + 2
    )
    app = App(connector=connector)

    @app.task(name=_TASK)
    def look(promotion: int) -> None:
        visit(promotion)

    async def run() -> None:
        async with app.open_async():
            await app.run_worker_async(
                queues=[name],
                concurrency=at_once,
                wait=not until_empty,
                listen_notify=False,
                fetch_job_polling_interval=_PAUSE,
                delete_jobs="always",
            )

    _prepare(conninfo, app)
    with _told():
        asyncio.run(run())


def _prepare(conninfo: str, app: App) -> None:
    with _told(), connect(conninfo, **_SESSION) as connection:
        connection.execute(_ALONE)
        row = connection.execute(_MADE).fetchone()
        if row is None or not row[0]:
            connection.execute(app.schema_manager.get_schema().encode())


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, exceptions.ConnectorException) as error:
        cause = error.__cause__ if isinstance(error.__cause__, psycopg.Error) else error
        raise SetupError(
            f"the queue cannot be used: {first_line(cause)}",
            next_step="check the variable that queue_env names; its role needs CREATE on the schema once, and"
            " then the tables that procrastinate made",
        ) from None
