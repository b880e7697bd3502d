"""``pgrehearse pool size``: throughput and latency by the number of connections, on a disposable copy."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import psycopg
from psycopg.conninfo import conninfo_to_dict

from pgrehearse import files
from pgrehearse.command import terminal
from pgrehearse.command.db.target import dsn_option, find, tell
from pgrehearse.command.terminal import Column
from pgrehearse.connections import connect
from pgrehearse.environments.permissions import Operation
from pgrehearse.environments.target import Target
from pgrehearse.errors import SetupError, first_line
from pgrehearse.measurement.pool_sizing import drawing, mix, pgbench
from pgrehearse.measurement.pool_sizing.knee import NEARLY, LoadPoint, formula, knee

__all__ = ["size"]

_NUMBERS = (1, 2, 4, 8, 16, 32, 64)
_MOST, _MOST_SECONDS = 64, 60
_BAR = 24  # characters of the best throughput
_COLUMNS = (
    Column("connections", right=True),
    Column("tps", right=True),
    Column("p50 ms", right=True),
    Column("p99 ms", right=True),
    Column("throughput"),
)
_ROOM = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
       - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
"""


def _numbers(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, ...]:
    try:
        numbers = tuple(sorted({int(word) for word in value.split(",")}))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of numbers such as 1,2,4") from None
    if not numbers or numbers[0] < 1 or numbers[-1] > _MOST:
        raise click.BadParameter(f"from 1 to {_MOST} connections can be tried")
    return numbers


@click.command()
@dsn_option
@click.option(
    "--mix",
    "files_of_mix",
    multiple=True,
    metavar="FILE[@WEIGHT]",
    help="A script of pgbench; may be repeated.",
)
@click.option(
    "--connections",
    "numbers",
    callback=_numbers,
    default=",".join(map(str, _NUMBERS)),
    show_default=True,
    metavar="LIST",
    help=f"Numbers to try, at most {_MOST}.",
)
@click.option(
    "--seconds", type=click.IntRange(1, _MOST_SECONDS), default=5, show_default=True, help="Of load for each."
)
@click.option("--cores", type=click.IntRange(1), help="Cores of the server's machine, for the formula.")
@click.option("--svg", type=click.Path(path_type=Path), help="Write both curves into this file.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of a table.")
def size(
    dsn: str | None,
    files_of_mix: tuple[str, ...],
    numbers: tuple[int, ...],
    seconds: int,
    cores: int | None,
    svg: Path | None,
    as_json: bool,
) -> int:
    """Load a disposable copy with 1 to 64 connections and say where more of them stop helping.

    The load is --mix, scripts as pgbench takes them, or pgbench's own look-ups and updates on tables that
    are made and dropped again. Transactions of a mix are committed. The database must be marked disposable
    or test.
    """
    target = find(dsn, operation=Operation.LOAD)
    tried = _with_room(target, numbers)
    found: list[LoadPoint] = []
    with ExitStack() as stack:
        sent = mix.of_files(files_of_mix, target) if files_of_mix else stack.enter_context(mix.own(target))
        with terminal.ProgressLine(sys.stderr) as progress:
            progress.say(f"{len(tried)} numbers of connections, {seconds} s each")
            for each in pgbench.measured(sent, tried, seconds):
                found.append(each)
                progress.say(f"{each.connections} connections: {each.tps:,.0f} transactions per second")
    if svg is not None:
        files.write(svg, drawing.svg("Throughput and latency by number of connections", found))
    cores = cores or _cores_here(target)
    said = ", ".join(files_of_mix) if files_of_mix else mix.DEFAULT_SAID
    if as_json:
        click.echo(json.dumps(_to_json(found, said, seconds, cores, target), indent=2))
    else:
        click.echo(terminal.table(_COLUMNS, _rows(found), within=terminal.width()))
        click.echo()
        for line in _said(found, said, seconds, cores):
            click.echo(line)
    return 0


def _with_room(target: Target, numbers: Sequence[int]) -> list[int]:
    """The numbers for which the server has room. Raises SetupError: none."""
    try:
        with connect(target.conninfo, autocommit=True) as connection:
            row = connection.execute(_ROOM).fetchone()
    except psycopg.Error as error:
        raise SetupError(f"the server cannot be asked: {first_line(error)}", next_step="try again") from None
    room = int(row[0]) + 1 if row else 0  # the one that asked leaves
    fitting = [number for number in numbers if number <= room]
    if not fitting:
        raise SetupError(
            f"the server has room for {room} more connections, and {min(numbers)} is the least to try",
            next_step="raise max_connections, or end who is connected: pg_stat_activity",
        )
    if len(fitting) < len(numbers):
        tell(f"not tried: more than {fitting[-1]}; the server has room for {room} (max_connections)")
    return fitting


def _cores_here(target: Target) -> int | None:
    """The cores of this machine, when the server runs on it."""
    host = str(conninfo_to_dict(target.conninfo).get("host") or "/")
    return os.cpu_count() if host.startswith(("/", "127.", "localhost", "::1")) else None


def _rows(found: Sequence[LoadPoint]) -> list[tuple[str, ...]]:
    best = max(each.tps for each in found)
    return [
        (
            str(each.connections),
            f"{each.tps:,.0f}",
            f"{each.p50_ms:.2f}",
            f"{each.p99_ms:.2f}",
            "#" * max(1, round(_BAR * each.tps / best)) if best else "",
        )
        for each in found
    ]


def _said(found: Sequence[LoadPoint], load_said: str, seconds: int, cores: int | None) -> Iterator[str]:
    at, last = knee(found), found[-1]
    yield f"load: {load_said}; {seconds} s each"
    yield (
        f"knee: {at.connections} connections, the fewest with {NEARLY:.0%} of the best throughput;"
        f" p99 {at.p99_ms:.2f} ms"
    )
    if last.connections > at.connections:
        yield (
            f"beyond: {last.connections} connections give {last.tps / at.tps - 1:+.0%} throughput"
            f" and p99 {last.p99_ms:.2f} ms"
        )
    else:
        yield "beyond: nothing was tried; throughput may still grow"
    if cores is None:
        yield "formula: 2 * cores + 1; give --cores, the server runs elsewhere"
    else:
        yield f"formula: 2 * {cores} cores + 1 = {formula(cores)}; measured: {at.connections}"


def _to_json(
    found: Sequence[LoadPoint], load_said: str, seconds: int, cores: int | None, target: Target
) -> dict[str, object]:
    return {
        "server": target.version,
        "load": load_said,
        "seconds": seconds,
        "measured": [each.to_json() for each in found],
        "knee": knee(found).connections,
        "share_of_best": NEARLY,
        "cores": cores,
        "formula": None if cores is None else formula(cores),
    }
