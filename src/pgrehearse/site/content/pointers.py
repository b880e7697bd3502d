"""From a runbook's page to pages that a site may have: their addresses there, empty without such a page."""

from __future__ import annotations

from typing import Any

from pgrehearse.site.content.documents import Site
from pgrehearse.site.content.headings import anchors, plain
from pgrehearse.site.content.published import Published

__all__ = ["in_other_tools", "of_rates"]

_RATES = "reference/rates.md"
_OTHER_TOOLS = "guides/changes-in-your-tool.md"


def of_rates(env: Any) -> str:
    """Where it says how to reckon with what each GB costs."""
    target = env.variables["files"].get_file_from_path(_RATES)
    return target.url_relative_to(env.page.file) if target else ""


def in_other_tools(site: Site, env: Any, item: Published) -> str:
    """Where the change of the runbook ``item`` is shown in other tools: a section with its heading."""
    target = env.variables["files"].get_file_from_path(_OTHER_TOOLS)
    if target is None:
        return ""
    headings = site.document(site.docs / _OTHER_TOOLS).document.headings
    places = dict(zip((plain(heading.title) for heading in headings), anchors(headings), strict=True))
    own = next((plain(heading.title) for heading in item.document.headings if heading.level == 1), "")
    return f"{target.url_relative_to(env.page.file)}#{places[own]}" if own in places else ""
