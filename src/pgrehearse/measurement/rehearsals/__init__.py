"""Five rehearsals of a runbook on one server major, and the evidence they leave.

*straight*: every cell does what it says. *undone*: Roll back restores what was before. *repeated*: a second
run changes nothing. *interrupted*: killed anywhere and started again, it ends the same. *under traffic*:
what readers and writers notice.

``matrix`` asks for all of them; ``plain`` holds three, ``interrupted`` and ``under_traffic`` one each.
``stage`` makes the situation they play in, ``stops`` takes Apply apart into statements, ``obstacles`` makes
them wait, and ``rehearsal`` is what one gave.
"""

from pgrehearse.measurement.rehearsals.matrix import rehearse
from pgrehearse.measurement.rehearsals.rehearsal import REHEARSALS, Rehearsal

__all__ = ["REHEARSALS", "Rehearsal", "rehearse"]
