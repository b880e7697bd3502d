"""The rehearsal *under traffic*: readers and writers at a fixed rate while the runbook runs."""

from __future__ import annotations

import json
from collections.abc import Callable

from pgrehearse.measurement.rehearsals.rehearsal import Rehearsal, Surprise
from pgrehearse.measurement.rehearsals.stage import Stage
from pgrehearse.measurement.traffic import Requests, TrafficRecorded, record, requests_for

__all__ = ["ROWS", "under_traffic"]

#: Rows of the example table; some runbooks begin by deleting some.
ROWS = 120_000
#: Rows a table must have for its recording to be shown without a remark.
ENOUGH = 100_000
#: Seconds of load before Preflight and after Verify.
_LEAD = 0.3
#: How often a runbook has to exceed its budget. A lock keeps requests waiting each time, a machine that was
#: busy elsewhere does not.
_TIMES = 3


class _Perhaps(Surprise):
    """What a busy machine may have done, and no runbook."""


def under_traffic(stage: Stage) -> Rehearsal:
    """Preflight, Apply and Verify while a process of its own sends requests to the runbook's table.

    Fails when a request fails and the front matter says no ``breaks``, or when the longest one exceeds the
    budget ``stall``, in each of three runs.
    """
    for _ in range(_TIMES - 1):
        try:
            return _once(stage)
        except _Perhaps:
            continue
    return _once(stage)


def _once(stage: Stage) -> Rehearsal:
    with stage.copy() as database:
        requests = requests_for(stage.server.dsn(database), stage.document.front.examples())
        if isinstance(requests, str):
            return Rehearsal("under traffic", "not run", requests)

        def play(mark: Callable[[str], None]) -> None:
            with stage.executor(database) as executor:
                for phase in ("Preflight", "Apply", "Verify"):
                    mark(phase)
                    cells = [cell for cell in stage.forward if (cell.phase or "Preflight") == phase]
                    stage.watch(executor, cells, phase)

        recorded = record(stage.server, database, requests, play, lead=_LEAD)
    return _judged(stage, requests, recorded)


def _judged(stage: Stage, requests: Requests, recorded: TrafficRecorded) -> Rehearsal:
    front = stage.document.front
    facts = {"table": requests.table, "requests": list(requests.words), "errors": recorded.errors}
    if front.breaks and not recorded.errors:
        raise _Perhaps(
            f"the front matter says breaks: {front.breaks!r}, but no request failed: remove the key"
        )
    if recorded.errors and not front.breaks:
        raise Surprise(f"requests failed: {json.dumps(recorded.failed)}")
    worst, which = max((float(recorded.measured[kind]["worst_ms"]), kind) for kind in recorded.kinds)
    if front.stall is not None and worst > front.stall * 1000:
        raise _Perhaps(
            f"the longest request, one of the {which}, took {worst:.0f} ms; the budget stall is"
            f" {front.stall * 1000:.0f} ms"
        )
    remarks = [f"requests fail by design: {front.breaks}"] if front.breaks else []
    if requests.rows < ENOUGH:
        remarks.append(f"table {requests.table} has {requests.rows} rows, fewer than {ENOUGH}")
    return Rehearsal("under traffic", "passed", "; ".join(remarks), facts, recorded.measured)
