"""What a newcomer types first, as the README says it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def typed(heading: str) -> list[str]:
    """The commands of a section of the README."""
    section = re.split(r"^## ", ROOT.joinpath("README.md").read_text("utf-8"), flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(heading)]
    return re.findall(r"^\$ (.*)$", text, flags=re.MULTILINE)


def test_the_first_answer_and_the_first_runbook_need_no_database() -> None:
    activate, *commands = typed("A first answer")
    assert activate == ". .venv/bin/activate"
    script = "\n".join([*commands[:-1], f"{commands[-1]} --yes"])
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", script],
        check=False,
        env={**os.environ, "PATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "while wishlist_items is rewritten" in done.stdout
    assert "done: Preflight, Apply, Verify" in done.stdout + done.stderr
