"""Connection strings in parts: read as libpq reads them, and no password in a message."""

from __future__ import annotations

import pytest

from pgrehearse.environments.connection_strings import environment_variables, parts_of
from pgrehearse.errors import SetupError


def parts(dsn: str) -> dict[str, str]:
    return parts_of(dsn, what="the DSN", fix="write it so")


def test_both_forms_are_read() -> None:
    wanted = {"host": "here", "dbname": "shop", "user": "ann", "password": "a b"}
    assert parts("postgresql://ann:a%20b@here/shop") == wanted
    assert parts("host=here dbname=shop user=ann password='a b'") == wanted
    assert parts("") == {}


@pytest.mark.parametrize(
    "dsn",
    ["hush", "host=x passwort=hush", "postgresql://a:hu/sh@x/d", "postgresql://a:hu@sh@x/d", "port=hush"],
)
def test_what_cannot_be_read_is_not_repeated(dsn: str) -> None:
    with pytest.raises(SetupError) as caught:
        parts(dsn)
    assert str(caught.value) == "the DSN cannot be read as a connection string\n  next: write it so"


def test_variables_say_the_same() -> None:
    given = {"host": "here", "dbname": "shop", "password": "hush", "port": "", "fallback": "x"}
    assert environment_variables(given) == {"PGHOST": "here", "PGDATABASE": "shop", "PGPASSWORD": "hush"}
