"""Steps back of a promotion say why."""

from __future__ import annotations

import click
import pytest

from pgrehearse.command.promote.cancel import cancel
from pgrehearse.command.promote.request import request
from pgrehearse.command.promote.skip import skip


@pytest.mark.parametrize(("command", "arguments"), [(cancel, ["staging"]), (skip, ["shop_1", "staging"])])
def test_a_step_back_demands_a_reason(command: click.Command, arguments: list[str]) -> None:
    with pytest.raises(click.MissingParameter, match="why"):
        command.make_context("promote", list(arguments))
    assert command.make_context("promote", [*arguments, "--why", "x"]).params["why"] == "x"


def test_a_request_may_leave_it_out() -> None:
    assert request.make_context("request", ["staging"]).params["why"] == ""
