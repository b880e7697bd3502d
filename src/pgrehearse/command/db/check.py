"""``pgrehearse db check``: is the database what the migrations say, and the schema file too?"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from pgrehearse import files
from pgrehearse.command.db.target import announce, dsn_option, environment_option, find, load_migrations
from pgrehearse.command.formats import finish, format_option, readable
from pgrehearse.environments.permissions import Operation
from pgrehearse.environments.target import Target
from pgrehearse.errors import SetupError
from pgrehearse.findings import Finding
from pgrehearse.migration.drift import ddl_log as ddl
from pgrehearse.migration.drift.comparisons import (
    NEXT,
    Compared,
    comparing_with_file,
    live_against_migrations,
    schema_file,
)
from pgrehearse.migration.drift.live import declaration, look
from pgrehearse.migration.drift.repairs import BEFORE, Repair
from pgrehearse.migration.runner import versions
from pgrehearse.migration.runner.versions import VersionState
from pgrehearse.text.characters import visible
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project

__all__ = ["check"]

_PARTS = ("live", "schema", "files")


@click.command()
@dsn_option
@environment_option
@click.option("--only", type=click.Choice(_PARTS), multiple=True, help="One comparison; may be repeated.")
@format_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option("--undo", type=click.Path(path_type=Path), help="Write the SQL that undoes drift of live here.")
@click.option("--write-schema", is_flag=True, help="Write db/schema.sql from the migrations, and end.")
@click.option("--write-roles", is_flag=True, help="Write db/roles.sql from the live database, and end.")
@click.option("--install-log", is_flag=True, help="Log DDL that comes past the runner from now on, and end.")
@click.option("--remove-log", is_flag=True, help="Stop that, drop the log, and end.")
def check(
    dsn: str | None,
    environment: str | None,
    only: tuple[str, ...],
    form: str,
    as_json: bool,
    undo: Path | None,
    write_schema: bool,
    write_roles: bool,
    install_log: bool,
    remove_log: bool,
) -> int:
    """Look for drift; exit status 1 if there is some. Nothing is written to the database.

    live: the database against a scratch one, made from the migrations that are applied, on a server of the
    same major. schema: all migrations against db/schema.sql. files: the migrations against the hashes in the
    ledger. Without a database only the second is done.
    """
    project, migrations = load_migrations()
    folder = project.migrations.parent
    if install_log or remove_log:
        chosen = find(dsn, environment, Operation.LOG_DDL)
        (ddl.install if install_log else ddl.remove)(chosen.conninfo)
        click.echo("DDL past the runner is logged in pgrehearse.ddl" if install_log else "the log is gone")
        return 0
    named = dsn or any(os.environ.get(name) for name in ("PGDATABASE", "PGSERVICE", "DATABASE_URL"))
    needs = named or write_roles or set(only) & {"live", "files"}
    target = find(dsn, environment) if needs and not write_schema else None
    if write_schema or write_roles:
        file = folder / ("schema.sql" if write_schema else "roles.sql")
        text = schema_file(migrations, file, folder / "roles.sql") if write_schema else ""
        files.write(file, text or declaration(target.conninfo if target else ""))
        click.echo(f"wrote {project.relative(file)}")
        return 0
    if undo is not None and (target is None or (only and "live" not in only)):
        raise SetupError("--undo needs the comparison with live", next_step="name the database: --dsn")
    form = "json" if as_json else form
    if target is not None and readable(form):
        announce(target)
    wanted = only or (_PARTS if target else ("schema",))
    found = _compared(wanted, target, project, migrations)
    states = versions.read(target.conninfo, migrations) if target and "files" in wanted else None
    log = ddl.entries(target.conninfo) if target and "live" in wanted else None
    if undo is not None:
        files.write(undo, found["live"].repair.script)
    wrong = [finding for one in found.values() for finding in one.findings]
    wrong += [state.finding for state in states or () if state.finding]
    if form == "json":
        click.echo(json.dumps(_json(found, states, log), indent=2))
    else:
        if readable(form):
            _tell(found, states, log)
        finish(form, wrong, project)
    return 1 if wrong else 0


def _compared(
    wanted: tuple[str, ...], target: Target | None, project: Project, migrations: list[Migration]
) -> dict[str, Compared]:
    folder: Path = project.migrations.parent
    roles, major = folder / "roles.sql", target.major if target else None
    found: dict[str, Compared] = {}
    with ExitStack() as beside:
        live = look(target.conninfo) if target is not None and "live" in wanted else None
        if "schema" in wanted:  # begun first: the file is read while live is compared
            runner = live.runner if live else None
            comparing = comparing_with_file(migrations, folder / "schema.sql", roles, major, runner)
            with_file = beside.enter_context(comparing)
        if target is not None and live is not None:
            found["live"] = live_against_migrations(
                target.conninfo,
                live,
                migrations,
                roles,
                target.major,
                ignore=project.drift_ignore,
                repairs=True,
            )
        if "schema" in wanted:
            found["schema"] = with_file()
    return found


def _tell(
    found: dict[str, Compared], states: list[VersionState] | None, log: list[ddl.LoggedChange] | None
) -> None:
    for part, one in found.items():
        count = len(one.drift.subjects)
        result = "no drift" if not one.drift else f"{count} difference{'s' if count > 1 else ''}"
        click.echo(f"{part}: {one.names[0]} against {one.names[1]}: {result}")
        for name, findings in groupby(one.findings, key=lambda finding: finding.about):
            click.echo(f"  {name}")
            for finding in findings:
                _tell_one(finding)
        for ignored in one.ignored:
            click.echo(f"  note: {ignored.said}")
        for note in one.notes:
            click.echo(f"  note: {note}")
        if one.drift:
            if part == "live":
                _tell_log(one, log)
                _tell_repair(one.repair)
            click.echo(f"  next: {NEXT[part]}")
    if states is not None:
        wrong = [state.finding for state in states if state.finding]
        click.echo(
            f"files: the migrations against the ledger: {f'{len(wrong)} wrong' if wrong else 'no drift'}"
        )
        for finding in wrong:
            click.echo(f"  {finding.message}\n  next: {finding.next_step}")


def _tell_one(finding: Finding) -> None:
    sql = finding.statement if len(finding.statement) >= 400 else " ".join(finding.statement.split())
    click.echo(f"    {finding.message}")
    click.echo("      " + f"{sql};".replace("\n", "\n      "))


def _tell_repair(repair: Repair) -> None:
    if repair.statements:
        click.echo("  to undo it; carried out on a copy that differs like this database, without its rows:")
    lines = visible(repair.script).splitlines()
    click.echo("".join(f"    {line}\n" for line in lines), nl=False)


def _tell_log(one: Compared, log: list[ddl.LoggedChange] | None) -> None:
    if log is None:
        return
    entries = ddl.matching(log, (*one.drift.only_left, *one.drift.only_right))
    for entry in entries:
        text = " ".join(entry.statement.split())
        click.echo(f"  logged {entry.at:%Y-%m-%d %H:%M:%S} by {entry.who} ({entry.application}): {text}")
    if not entries:
        click.echo("  the log names none of these")


def _json(
    found: dict[str, Compared], states: list[VersionState] | None, log: list[ddl.LoggedChange] | None
) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for part, one in found.items():
        value[part] = {
            "drift": bool(one.drift),
            "left": one.names[0],
            "right": one.names[1],
            "only_left": [vars(difference) for difference in one.drift.only_left],
            "only_right": [vars(difference) for difference in one.drift.only_right],
            "notes": list(one.notes),
            "ignored": [vars(ignored) for ignored in one.ignored],
        }
        if one.repair:
            value[part]["repair"] = {
                "before": BEFORE,
                "statements": [vars(statement) for statement in one.repair.statements],
                "not_written": [vars(missing) for missing in one.repair.unwritten],
            }
    if "live" in value and log is not None:
        drift = found["live"].drift
        entries = ddl.matching(log, (*drift.only_left, *drift.only_right))
        value["live"]["log"] = [{**vars(entry), "at": entry.at.isoformat()} for entry in entries]
    if states is not None:
        wrong = [(state.version, state.finding) for state in states if state.finding]
        value["files"] = {
            "drift": bool(wrong),
            "problems": [
                {"version": version, "problem": finding.message, "next": finding.next_step}
                for version, finding in wrong
            ],
        }
    return {"drift": any(part["drift"] for part in value.values()), **value}
