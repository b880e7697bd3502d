"""A fault at a chosen moment, then the command again: nothing lost, nothing twice, nothing left behind.

See `support.faults.moments` for which moments run, and how to repeat one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.faults.moments import Moment, chosen
from support.faults.trial import SCENARIOS, Stage, Trial


@pytest.mark.parametrize("moment", [one for one in chosen() if one.command in SCENARIOS], ids=str)
def test_moment(stage: Stage, tmp_path: Path, moment: Moment) -> None:
    with Trial(stage, moment, tmp_path) as trial:
        trial.play()
