"""The same change in an unsafe and in a safe way, each under live traffic, and the evidence of both."""

from pgrehearse.measurement.recordings.ways import RecordedWays, by_name, record

__all__ = ["RecordedWays", "by_name", "record"]
