"""The last look for Prometheus. What is unknown is there as such: a metric that is missing alarms nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pgrehearse.dashboard.latest import LastLook, Latest
from pgrehearse.status.activity import Holding, Now
from pgrehearse.status.fact import Known, Level
from pgrehearse.status.migrations import Last, Migrations
from pgrehearse.status.snapshot import Snapshot

__all__ = ["CONTENT_TYPE", "exposed", "of_facts"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LEVELS = {level: number for number, level in enumerate(Level)}
_PLACE = ["environment", "database"]


def exposed(latest: Latest, facts: Callable[[LastLook], bytes]) -> bytes:
    """In the text format. ``facts``: `of_facts`, which says the same of a look whenever it is asked."""
    look = latest.now
    return _text(_of_looks(latest, look)) + facts(look)


def of_facts(look: LastLook) -> bytes:
    """What was found; of a thousand databases two megabytes."""
    return _text([*_levels(look.found), *_values(look.found)])


class _Families(Collector):
    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """All of them."""
        return self._families


def _text(families: Iterable[GaugeMetricFamily]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(list(families)))
    return generate_latest(registry)


def _of_looks(latest: Latest, look: LastLook) -> Iterator[GaugeMetricFamily]:
    yield GaugeMetricFamily(
        "pgrehearse_level",
        "Of all databases: 0 well, 1 attention, 2 unknown. Also 2 when looks fail or none ends.",
        value=_LEVELS[latest.level],
    )
    yield GaugeMetricFamily(
        "pgrehearse_looked_timestamp_seconds",
        "When the last look ended; 0 before the first.",
        value=look.at.timestamp() if look.number else 0,
    )
    yield GaugeMetricFamily("pgrehearse_look_seconds", "How long the last look took.", value=look.took)


def _levels(found: Sequence[Snapshot]) -> Iterator[GaugeMetricFamily]:
    level = GaugeMetricFamily(
        "pgrehearse_fact_level", "0 well, 1 attention, 2 unknown.", labels=[*_PLACE, "fact"]
    )
    seen = GaugeMetricFamily(
        "pgrehearse_fact_seen_timestamp_seconds",
        "When a fact was last known; 0 for never.",
        labels=[*_PLACE, "fact"],
    )
    for one in found:
        place = [one.place.environment.name, one.place.name]
        for name, fact in one.facts.items():
            at = fact.measured_at if isinstance(fact, Known) else fact.last_seen
            level.add_metric([*place, name], _LEVELS[fact.level])
            seen.add_metric([*place, name], at.timestamp() if at else 0)
    yield level
    yield seen


def _values(found: Sequence[Snapshot]) -> Iterator[GaugeMetricFamily]:
    """What is known as a number; the level says whether it is known."""
    many = GaugeMetricFamily("pgrehearse_migrations", "Migrations by state.", labels=[*_PLACE, "state"])
    took = GaugeMetricFamily(
        "pgrehearse_last_change_seconds", "How long the last change took.", labels=_PLACE
    )
    waited = GaugeMetricFamily(
        "pgrehearse_lock_wait_seconds", "The longest wait for a lock now.", labels=_PLACE
    )
    oldest = GaugeMetricFamily(
        "pgrehearse_oldest_transaction_seconds", "The oldest transaction that is told.", labels=_PLACE
    )
    for one in found:
        place = [one.place.environment.name, one.place.name]
        for fact in one.facts.values():
            match fact.value if isinstance(fact, Known) else None:
                case Migrations() as value:
                    many.add_metric([*place, "applied"], value.applied)
                    many.add_metric([*place, "pending"], len(value.pending))
                    many.add_metric([*place, "wrong"], len(value.wrong))
                case Last(ran) if ran:
                    took.add_metric(place, ran[0].milliseconds / 1000)
                case Now() as value:
                    spans = [waiting.waited.total_seconds() for waiting in value.waiting]
                    waited.add_metric(place, max(spans, default=0.0))
                case Holding() as value:
                    spans = [transaction.open.total_seconds() for transaction in value.transactions]
                    oldest.add_metric(place, max(spans, default=0.0))
    yield from (many, took, waited, oldest)
