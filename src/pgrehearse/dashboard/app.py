"""The served pages: all environments, one database, one migration, a fleet; and the same for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Match, Route

from pgrehearse.dashboard import metrics
from pgrehearse.dashboard.latest import LastLook, Latest, Once
from pgrehearse.dashboard.views import Overview, database, migration, overview
from pgrehearse.markup import rendered
from pgrehearse.status import as_json
from pgrehearse.status.fact import Level
from pgrehearse.status.snapshot import Snapshot

__all__ = ["made"]

_ASSETS = Path(__file__).with_name("assets")
_KINDS = {"dashboard.css": "text/css; charset=utf-8", "dashboard.js": "text/javascript; charset=utf-8"}


def made(latest: Latest, handbook: str = "") -> Starlette:
    """The application. ``handbook``: where pages of the handbook are, for links."""
    pages = _Pages(latest, handbook)
    app = Starlette(
        routes=[
            Route("/", pages.overview),
            Route("/database/{label:path}", pages.database),
            Route("/migration/{version}", pages.migration),
            Route("/status.json", pages.status),
            Route("/metrics", pages.metrics),
            Route("/assets/{name}", _asset),
        ],
        exception_handlers={404: _missing},
    )
    app.router.redirect_slashes = False  # its redirects name the host, and forget the path of a proxy
    return app


class _Pages:
    def __init__(self, latest: Latest, handbook: str) -> None:
        self._latest = latest
        self._handbook = handbook
        self._overview = Once(lambda look: overview(look.found, look.at, handbook))
        self._json = Once(_json)
        self._facts = Once(metrics.of_facts)

    async def overview(self, request: Request) -> Response:
        """All environments side by side, then their fleets."""
        return self._page(request, "overview", "All environments", lambda all_: {})

    async def database(self, request: Request) -> Response:
        """One database: every fact."""
        one = self._found(request.path_params["label"])
        if one is None:
            return await _missing(request, None)
        shown = database(one, self._latest.now.at, self._handbook)
        return self._page(request, "database_page", shown.label, lambda all_: {"one": shown})

    async def migration(self, request: Request) -> Response:
        """One migration across environments."""
        version = request.path_params["version"]
        shown = migration(version, self._latest.now.found)
        if not shown.rows:
            return await _missing(request, None)
        return self._page(request, "migration", shown.label, lambda all_: {"migration": shown})

    async def status(self, request: Request) -> Response:
        """As ``pgrehearse status --json`` writes it, with what is wrong with the looks."""
        latest = self._latest
        return Response(self._json(latest.now, latest.level), media_type="application/json")

    async def metrics(self, request: Request) -> Response:
        """For Prometheus."""
        return Response(metrics.exposed(self._latest, self._facts), media_type=metrics.CONTENT_TYPE)

    def _found(self, label: str) -> Snapshot | None:
        return next((one for one in self._latest.now.found if one.place.label == label), None)

    def _page(
        self, request: Request, body: str, title: str, more: Callable[[Overview], dict[str, Any]]
    ) -> Response:
        all_ = self._overview(self._latest.now)
        # Links lead from the page, for a proxy may show all of this below a path of its own.
        top = "../" * (request.scope["raw_path"].count(b"/") - 1) or "./"
        text = _rendered(
            "served",
            {
                "body": f"{body}.html.j2",
                "title": title,
                "all": all_,
                "problem": self._latest.problem,
                "level": self._latest.level,
                "every": max(round(self._latest.every), 1),
                "top": top,
                "link": lambda one: f"{top}database/{quote(one.label)}",
                "migration_link": lambda version: f"{top}migration/{quote(version, safe='')}",
                **more(all_),
            },
        )
        return HTMLResponse(text)


def _json(look: LastLook, level: Level) -> str:
    return json.dumps({**as_json.to_json(look.found), "taken_at": look.at.isoformat(), "level": level})


def _rendered(template: str, values: dict[str, Any]) -> Markup:
    return rendered("pgrehearse.dashboard", template, values)


async def _asset(request: Request) -> Response:
    kind = _KINDS.get(request.path_params["name"])
    if kind is None:
        return await _missing(request, None)
    return Response((_ASSETS / request.path_params["name"]).read_bytes(), media_type=kind)


async def _missing(request: Request, error: object) -> Response:
    """No such page. A slash too many leads to the one without, from where it is: as all links do."""
    bare = request.scope["path"].removesuffix("/")
    without = {**request.scope, "path": bare}
    if bare != request.scope["path"] and any(
        one.matches(without)[0] is Match.FULL for one in request.app.routes
    ):
        name = request.scope["raw_path"].removesuffix(b"/").rpartition(b"/")[2].decode("latin-1")
        return Response(status_code=307, headers={"location": f"../{name}"})
    return PlainTextResponse("there is no such page; the first one shows all environments\n", status_code=404)
