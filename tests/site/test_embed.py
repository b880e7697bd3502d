"""The command a runbook's page shows means to a shell what the front matter says."""

from __future__ import annotations

import subprocess

import pytest

from pgrehearse.site.content.embed import _quoted


@pytest.mark.parametrize(
    "value", ["plain", "it's", "a\nb", "\x1b[31m", "back\\slash's \u202etab\t\x01f", "é\u2066"]
)
def test_a_value_reaches_the_command_as_it_is(value: str) -> None:
    shown = _quoted(value)
    assert not set("\x1b\x01\u202e\u2066") & set(shown)
    ran = subprocess.run(
        ["bash", "-c", f"printf %s {shown}"], capture_output=True, env={"LC_ALL": "C.UTF-8"}, check=True
    )
    assert ran.stdout.decode() == value
