"""An open-loop load of readers and writers beside something else, and the recording of what they noticed.

``requests`` fit any table, ``load`` sends them from a process of its own, ``recorder`` keeps the gaps.
"""

from pgrehearse.measurement.traffic.recorder import Play, TrafficRecorded, record
from pgrehearse.measurement.traffic.requests import Requests, requests_for, requests_on

__all__ = ["Play", "Requests", "TrafficRecorded", "record", "requests_for", "requests_on"]
