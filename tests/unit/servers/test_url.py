"""A URL that cannot be read is not repeated: it may hold a password."""

from __future__ import annotations

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.servers import UrlServer


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:s3cr@t@127.0.0.1/db",
        "postgresql://someone:s3cr/t@127.0.0.1/db",
        "postgresql://someone:s3cr%t@127.0.0.1/db",
        "postgresql//someone:s3crt@127.0.0.1/db",
        "s3crt",
        "host=127.0.0.1 passwort=s3crt",
    ],
)
def test_unreadable_urls_are_not_echoed(url: str) -> None:
    with pytest.raises(SetupError, match="cannot be read") as caught:
        UrlServer(url)
    assert "s3cr" not in f"{caught.value} {caught.value.__cause__}"
    assert "percent-encoded" in str(caught.value.next_step)
