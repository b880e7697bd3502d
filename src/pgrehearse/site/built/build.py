"""Build a site with MkDocs, in this process, and turn its failures into our errors with file and line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pgrehearse.errors import SetupError
from pgrehearse.site.built.failures import explained
from pgrehearse.site.content.documents import DRAFT
from pgrehearse.text.project import Project

# Set before the theme is imported: it prints a banner about its end of life at every build.
os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")

__all__ = ["build", "build_once", "configuration", "docs_folder", "draft"]


def build(project: Project, site_dir: Path, *, strict: bool = True) -> Path:
    """Build the project's site into ``site_dir`` and return it.

    ``strict``: every warning of MkDocs is an error, and so is a document without proof; otherwise the
    pages say what is not proven. Raises DocumentError for what an author can mend, SetupError for a
    configuration that cannot be used.
    """
    with draft(not strict):
        build_once(project, site_dir, strict=strict)
    return site_dir


def build_once(
    project: Project,
    site_dir: Path,
    *,
    strict: bool,
    serve_url: str | None = None,
    changes_only: bool = False,
) -> Any:
    """One build with the start and end events a plugin may count on; returns MkDocs' configuration.

    ``changes_only``: make just the pages that are missing in ``site_dir`` or older there than their source.
    """
    from mkdocs.commands.build import build as mkdocs_build

    with explained(project):
        config = configuration(project, site_dir, strict=strict)
        config.plugins.on_startup(command="serve" if serve_url else "build", dirty=changes_only)
        try:
            if serve_url:
                config.site_url = serve_url
            mkdocs_build(config, serve_url=serve_url, dirty=changes_only)
        finally:
            config.plugins.on_shutdown()
    return config


def docs_folder(project: Project) -> Path:
    """The folder of the site's pages, as mkdocs.yml says. Raises SetupError."""
    with explained(project):
        return Path(configuration(project, project.root / "site", strict=False)["docs_dir"]).resolve()


def configuration(project: Project, site_dir: Path, *, strict: bool) -> Any:
    """The loaded mkdocs.yml. Raises SetupError when there is none."""
    from mkdocs.config import load_config

    file = project.root / "mkdocs.yml"
    if not file.is_file():
        raise SetupError(
            "this project has no site", path=file, next_step="write mkdocs.yml next to pyproject.toml"
        )
    return load_config(config_file=str(file), site_dir=str(site_dir.resolve()), strict=strict)


@contextmanager
def draft(wanted: bool) -> Iterator[None]:
    """Build pages without proof while this lasts; a no-op when not ``wanted``."""
    before = os.environ.get(DRAFT)
    if wanted:
        os.environ[DRAFT] = "1"
    try:
        yield
    finally:
        if wanted and before is None:
            del os.environ[DRAFT]
        elif wanted and before is not None:
            os.environ[DRAFT] = before
