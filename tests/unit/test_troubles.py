"""What to do next, where the machine or the server lacks something."""

from __future__ import annotations

import pytest

from pgrehearse.troubles import elsewhere, installed


@pytest.mark.parametrize(
    ("said", "helps"),
    [
        ('extension "uuid-ossp" is not available', True),
        ('could not open extension control file "/x.control"', True),
        ('relation "extension" does not exist', False),
    ],
)
def test_an_extension_may_be_on_another_server(said: str, helps: bool) -> None:
    fix = elsewhere(said, "mend it")
    assert fix.startswith("mend it")
    assert ("--server URL" in fix) == helps
    assert (installed(said, "mend it") != "mend it") == helps
