"""From a runbook's page to pages that a site may have: their addresses there, empty without such a page."""

from __future__ import annotations

from typing import Any

__all__ = ["in_other_tools", "of_rates"]

_RATES = "reference/rates.md"


def of_rates(env: Any) -> str:
    """Where it says how to reckon with what each GB costs."""
    target = env.variables["files"].get_file_from_path(_RATES)
    return target.url_relative_to(env.page.file) if target else ""


def in_other_tools(env: Any, runbook: str) -> str:
    """Where the change of ``runbook`` is shown in other tools: a page named after it."""
    target = env.variables["files"].get_file_from_path(f"guides/in-your-tool-{runbook}.md")
    return target.url_relative_to(env.page.file) if target else ""
