"""One file with all of it: it can be mailed, printed and opened offline, for it asks for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pgrehearse import clock, files
from pgrehearse.dashboard.views import overview
from pgrehearse.markup import rendered, trusted
from pgrehearse.status.snapshot import Snapshot

__all__ = ["STYLE", "text", "write"]

#: The style sheet of all pages.
STYLE = Path(__file__).with_name("assets") / "dashboard.css"


def text(found: Sequence[Snapshot], handbook: str = "") -> str:
    """The page; ``handbook``: where pages of the handbook are, for links to what a red cell means."""
    style = trusted(STYLE.read_text("utf-8"))
    return str(
        rendered(
            "pgrehearse.dashboard",
            "file",
            {"all": overview(found, clock.now(), handbook), "style": style},
        )
    )


def write(found: Sequence[Snapshot], place: Path, handbook: str = "") -> Path:
    """Write it to ``place``. Raises SetupError: it cannot be written."""
    return files.write(place, text(found, handbook))
