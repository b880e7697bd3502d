"""``pgrehearse db new``: a migration file with its two parts."""

from __future__ import annotations

import re
from pathlib import Path

import click

from pgrehearse import files
from pgrehearse.clock import now
from pgrehearse.text import migration_files
from pgrehearse.text.project import Project

__all__ = ["new"]

_TEXT = """\
-- {title}.

-- migrate:up


-- migrate:down

"""


@click.command()
@click.argument("name")
def new(name: str) -> int:
    """Write an empty migration called NAME, such as add_purchased_at, and print its path."""
    words = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not words:
        raise click.UsageError(f"{name!r} has no letter or digit: say what the migration does")
    project = Project.find(Path.cwd())
    with files.alone_in(files.folder(project.migrations)):
        existing = migration_files.load(project.migrations)
        version = now().strftime("%Y%m%d%H%M%S")
        newest = max((int(migration.version) for migration in existing), default=0)
        version = str(max(int(version), newest + 1))
        file = project.migrations / f"{version}_{words}.sql"
        files.write(file, _TEXT.format(title=words.replace("_", " ").capitalize()))
    click.echo(project.relative(file))
    return 0
