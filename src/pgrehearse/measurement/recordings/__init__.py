"""The same change in an unsafe and in a safe way, each under live traffic, and the evidence of both.

``ways`` records both, and says whether the safe one was better.
"""

from pgrehearse.measurement.recordings.ways import RecordedWays, by_name, record

__all__ = ["RecordedWays", "by_name", "record"]
