"""``pgrehearse xray``: what the statements of a file would lock, rewrite, scan and block."""

from __future__ import annotations

import json
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import click

from pgrehearse.command import terminal
from pgrehearse.command.terminal import Column
from pgrehearse.errors import DocumentError
from pgrehearse.execution.databases import Databases
from pgrehearse.measurement import xray_schema as schemas
from pgrehearse.measurement.words import for_a_moment, how_long, requested, requests, waited_for
from pgrehearse.measurement.xray import Xray
from pgrehearse.measurement.xray import xray as measure_file
from pgrehearse.measurement.xray_rows import POLICIES, Row
from pgrehearse.measurement.xray_steps import steps
from pgrehearse.schema.dump import major_of
from pgrehearse.servers import Servers, orphans
from pgrehearse.servers.base import Server
from pgrehearse.servers.binaries import SUPPORTED
from pgrehearse.text.front_matter import Database
from pgrehearse.text.lookup import project_of
from pgrehearse.text.passwords import redacted
from pgrehearse.text.project import Project
from pgrehearse.troubles import elsewhere

__all__ = ["xray"]

_LEFT = "leave it out of the file, and look at it yourself; the others were measured"
_COLUMNS = (
    Column("line", 6),
    Column("statement", 38),
    Column("locks", 30),
    Column("rewrite", 16),
    Column("scans", 16),
    Column("who waits", 34),
    Column("safe way", 24),
)


def _policies(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(name for name in value.split(",") if name)
    wrong = next((name for name in names if name not in POLICIES), None)
    if wrong is not None:
        raise click.BadParameter(f"{wrong!r} is none of {', '.join(POLICIES)}")
    return names


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--schema", type=click.Path(path_type=Path), help="Your schema: what pg_dump -s wrote.")
@click.option("--dsn", help="Dump the schema of this database. It is only read.")
@click.option("--seed", type=click.Path(path_type=Path), help="SQL that fills the tables first.")
@click.option("--pg", type=click.Choice([str(major) for major in SUPPORTED]), help="Server major.")
@click.option("--server", help="Use this disposable server (URL or DSN) and start none.", metavar="URL")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of a table.")
@click.option(
    "--fail-on",
    callback=_policies,
    default="",
    metavar="LIST",
    help="Exit 1 if a statement does one of these to a table that was there before: rewrite, scan (reads a"
    " table whole while others wait), blocks-reads, blocks-writes.",
)
def xray(
    file: Path,
    schema: Path | None,
    dsn: str | None,
    seed: Path | None,
    pg: str | None,
    server: str | None,
    as_json: bool,
    fail_on: tuple[str, ...],
) -> int:
    """Measure each statement of FILE on a disposable copy of a schema.

    FILE is plain SQL, - for standard input, or a migration of dbmate, goose, sql-migrate, node-pg-migrate or
    tern, whose up part is taken. Without --schema and --dsn the schema is that of the project's migrations.
    """
    if schema is not None and dsn is not None:
        raise click.UsageError("--schema and --dsn exclude each other")
    file = Path("/dev/stdin") if str(file) == "-" else file
    todo = steps(file)
    if not todo:
        raise DocumentError(
            "no statement is in it, so nothing was measured",
            path=file,
            next_step="look how the tool that wrote it ended: a pipe hides that without `set -o pipefail`",
        )
    with ExitStack() as stack:
        dumped = schemas.dumped(dsn) if dsn is not None else None
        zone = [schemas.zone(dsn)] if dsn is not None else []
        if dumped is not None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=orphans.prefix())))
            schema = folder / "schema.sql"
            schema.write_text(dumped, encoding="utf-8")
        major = int(pg) if pg else major_of(dumped) if dumped and not server else None
        running = stack.enter_context(Servers(server)).get(major)
        running, template, notes = stack.enter_context(_prepared(running, file, schema, seed))
        progress = stack.enter_context(terminal.ProgressLine(sys.stderr))
        found = measure_file(
            running,
            template,
            todo,
            progress=lambda done: progress.say(f"measured {done} of {len(todo)}"),
            settings=zone,
        )
    if dumped is not None:  # a file of ours, which nobody can open
        notes = [note.replace(f"{schema}:", "the dump of --dsn, line ") for note in notes]
    notes += _about(found)
    notes += [f"line {row.step.line}: {row.way}" for row in found.rows if row.way]
    notes += [
        f"line {row.step.line}: {what}, so what it does is not known"
        for row in found.rows
        for what in row.unseen
    ]
    notes += [] if zone else schemas.assumed(step.statement for step in todo)
    if as_json:
        click.echo(_json(file, running, found, notes))
    else:
        rows = [_cells(row) for row in found.rows]
        click.echo(terminal.table(_COLUMNS, rows, within=terminal.width(), rule=True))
        for note in notes:
            click.echo(f"note: {note}")
    failed = next((row for row in found.rows if row.error or row.left), None)
    if failed is not None:
        said, fix = (
            (failed.error, elsewhere(failed.error, "mend the statement"))
            if failed.error
            else (failed.left, _LEFT)
        )
        raise DocumentError(said, path=file, line=failed.step.line, next_step=fix)
    broken = [(row, policy) for row in found.rows for policy in row.breaks() if policy in fail_on]
    for row, policy in broken:
        click.echo(
            f"{file}:{row.step.line}: {policy}" + (f" (see {row.advice})" if row.advice else ""), err=True
        )
    return 1 if broken else 0


@contextmanager
def _prepared(
    server: Server, file: Path, schema: Path | None, seed: Path | None
) -> Iterator[tuple[Server, str, list[str]]]:
    """The server and the database to measure on, and notes about it."""
    if schema is not None:
        with schemas.loaded(server, schema, seed) as found:
            yield found
        return
    project = project_of(file)
    project = project if project.migrations.is_dir() else project_of(None)
    if seed is not None and not seed.is_file():
        raise DocumentError("no such file", path=seed, next_step="check the spelling")
    with tempfile.TemporaryDirectory(prefix=orphans.prefix()) as folder:
        project = _earlier(project, file, Path(folder), seed)
        databases = Databases(server, project)
        try:
            yield server, _fresh(databases, file.resolve().parent), []
        finally:
            databases.close()


def _fresh(databases: Databases, shown: Path) -> str:
    """A database with the earlier migrations. An error names the reader's file, not the copy of it."""
    try:
        return databases.fresh(Database(rows=1000), "xray")
    except DocumentError as error:
        if error.path is None or (shown / Path(error.path).name).resolve() == Path(error.path).resolve():
            raise
        place = shown / Path(error.path).name
        raise DocumentError(
            error.message,
            path=place if place.is_file() else error.path,
            line=error.line,
            next_step=error.next_step,
        ) from None


def _earlier(project: Project, file: Path, folder: Path, seed: Path | None) -> Project:
    """``project``; for one of its own migrations, as it was before that one, and without its seed."""
    chosen = replace(project, seed=seed.resolve()) if seed else project
    if file.resolve().parent != project.migrations.resolve():
        return chosen
    earlier = folder / "migrations"
    earlier.mkdir()
    for migration in project.migrations.glob("*.sql"):
        if migration.name < file.name:
            (earlier / migration.name).write_bytes(migration.read_bytes())
    if (roles := project.migrations.parent / "roles.sql").is_file():
        (folder / roles.name).write_bytes(roles.read_bytes())
    return replace(chosen, migrations=earlier, seed=chosen.seed if seed else folder / "no-seed")


def _about(found: Xray) -> list[str]:
    touched = {name for row in found.rows if row.facts for name in row.facts.locks}
    empty = [name for name in found.empty if name in touched]
    if not empty:
        return []
    advice = "judge by locks and rewrites, not by time; --seed fills tables first"
    return [f"tables without rows: {', '.join(empty)}; {advice}"]


def _json(file: Path, server: Server, found: Xray, notes: list[str]) -> str:
    value = {
        "file": str(file),
        "server": server.version,
        "statements": [row.to_json() for row in found.rows],
        "notes": notes,
    }
    return json.dumps(value, indent=2)


def _cells(row: Row) -> tuple[str, ...]:
    facts = row.facts
    statement = textwrap.shorten(redacted(row.step.statement), 110, placeholder=" ...")
    line = str(row.step.line) + (" tx" if row.step.block else "")
    if facts is None:
        return line, statement, row.error or f"not measured: {row.left}", "", "", "", ""
    locks, rewrites = _short(row)
    long = how_long(
        in_transaction=bool(row.step.block),
        in_turn=row.in_turn,
        rewrites=row.rewrites,
        stalls=row.stalls,
    )
    waits = [
        f"{requests(probes)} on {table}{reach} {long}"
        for table, reach, probes in requested(dict(row.waits), row.through)
    ]
    if people := for_a_moment(row.once_unused, by_table=True):
        waits.append(people)
    if facts.row_locks:
        waits.append(f"writers of the same rows of {', '.join(facts.row_locks)}")
    if facts.waits_for:
        waits.append(f"the statement itself, for {waited_for(facts.waits_for, 'holders of')}")
    scans = "\n".join(facts.scans)
    return line, statement, row.error or locks, rewrites, scans, "\n".join(waits), row.advice


def _short(row: Row) -> tuple[str, str]:
    """Locks and rewrites for people: the indexes of a table that is rewritten are only counted."""
    assert row.facts is not None
    rewrites, tables = row.facts.rewrites, [name for name in row.facts.rewrites if name in row.facts.probes]
    indexes = set(rewrites) - set(tables) if tables else set()
    locks = [f"{name}: {mode}" for name, mode in sorted(row.facts.locks.items()) if name not in indexes]
    shown = [name for name in rewrites if name not in indexes]
    counted = [f"and {len(indexes)} index{'es' if len(indexes) > 1 else ''}"] if indexes else []
    return "\n".join(locks), "\n".join([*shown, *counted])
