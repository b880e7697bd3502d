"""Patterns in the navigation of a site: a new page needs no edit of mkdocs.yml."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["expanded"]


def expanded(nav: list[Any], docs: Path, title: Callable[[str], str] | None) -> list[Any]:
    """``nav`` with patterns such as ``runbooks/enum-*.md`` replaced by the pages they match, sorted.

    A page stands where it is named on its own, else at the first pattern that matches it. A group without
    pages is left out. With ``title`` every page gets its title from there.
    """
    taken = set(_leaves(nav))

    def named(page: str) -> Any:
        return {title(page): page} if title and (docs / page).is_file() else page

    def expand(items: list[Any]) -> list[Any]:
        pages: list[Any] = []
        for item in items:
            if isinstance(item, dict):
                groups = {key: expand(v) if isinstance(v, list) else v for key, v in item.items()}
                pages += [{key: value} for key, value in groups.items() if value]
            elif "*" in item:
                found = sorted(path.relative_to(docs).as_posix() for path in docs.glob(item))
                pages += [named(page) for page in found if page not in taken]
                taken.update(found)
            else:
                pages.append(named(item))
        return pages

    return expand(nav)


def _leaves(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for item in nav.values() if isinstance(nav, dict) else nav:
            yield from _leaves(item)
