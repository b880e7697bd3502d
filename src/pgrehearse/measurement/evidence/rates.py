"""Evidence of rates: ``evidence/rates.json``, what one machine took for each GB, one entry a server major.

They are durations: published with their conditions, never compared.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pgrehearse import sealed
from pgrehearse.clock import today
from pgrehearse.measurement.evidence.seals import broken
from pgrehearse.measurement.rates import Rates
from pgrehearse.text.project import Project

__all__ = ["RatesEvidence", "file_of", "load", "save"]


@dataclass(frozen=True)
class RatesEvidence:
    """The rates of one major, and of which machine: its ``cores`` and what ``machine`` it says it is."""

    version: str
    date: str
    cores: int
    machine: str
    rates: Rates


def file_of(project: Project) -> Path:
    """Where the evidence of ``project`` is."""
    return project.evidence / "rates.json"


def load(project: Project) -> dict[str, RatesEvidence]:
    """Major as text -> its rates; empty without a file. Raises DocumentError for a bad one."""
    file = file_of(project)
    if not file.is_file():
        return {}
    try:
        data = sealed.read(file)
        return {major: _entry(entry) for major, entry in data["majors"].items()}
    except (sealed.Broken, KeyError, TypeError, AttributeError) as error:
        raise broken(file, error, "delete it and run `pgrehearse rates --refresh --pg all`") from error


def save(project: Project, major: int, version: str, rates: Rates) -> Path:
    """Replace the entry of ``major``; the machine is this one."""
    entry = RatesEvidence(version, today(), os.cpu_count() or 1, platform.machine(), rates)
    majors = {**load(project), str(major): entry}
    data = {"majors": {key: asdict(majors[key]) for key in sorted(majors, key=int)}}
    return sealed.write(file_of(project), data, sort_keys=True)


def _entry(entry: Mapping[str, Any]) -> RatesEvidence:
    return RatesEvidence(**{**entry, "rates": Rates(**entry["rates"])})
