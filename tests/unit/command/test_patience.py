"""How long a command waits is a number of seconds that has an end."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from pgrehearse.command.db.up import patience


@click.command()
@patience
def waits(lock_timeout: str, attempts: int, wait: float) -> None:
    click.echo(f"{lock_timeout} {wait}")


@pytest.mark.parametrize(
    "value", ["nan", "-nan", "inf", "-inf", "Infinity", "-1", "1e300", "2147484", "x", ""]
)
def test_no_other_is_taken(value: str) -> None:
    ended = CliRunner().invoke(waits, [f"--wait={value}"])
    assert ended.exit_code == 2
    assert "Invalid value for '--wait'" in ended.output


@pytest.mark.parametrize(
    "value", ["0", "0s", "-1s", "nan", "infs", "2", "1.5s", "9999999999s", "36000min", "\u0663s"]
)
def test_no_other_lock_timeout_is_taken(value: str) -> None:
    ended = CliRunner().invoke(waits, [f"--lock-timeout={value}"])
    assert ended.exit_code == 2
    assert "is not a time such as 500ms or 2s" in ended.output


def test_what_is_one_is_taken() -> None:
    ended = CliRunner().invoke(waits, ["--wait=0", "--lock-timeout=35791min"])
    assert (ended.exit_code, ended.output) == (0, "35791min 0.0\n")
