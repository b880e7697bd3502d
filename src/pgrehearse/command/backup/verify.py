"""``pgrehearse backup verify``: a backup is restored and asked, and what was seen is kept as a receipt."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from pgrehearse.backup import receipt_store
from pgrehearse.backup import verify as verifying
from pgrehearse.backup.adapters import adapter, recognized
from pgrehearse.backup.demand import Demand
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.proof import Proof
from pgrehearse.command.backup import shown
from pgrehearse.command.backup.common import (
    adapter_option,
    declared,
    into_option,
    jobs_option,
    looked_at,
    options_option,
    working,
)
from pgrehearse.command.db.target import dsn_option, environment_option
from pgrehearse.text.project import Project

__all__ = ["verify"]


@click.command()
@click.argument("place")
@dsn_option
@environment_option
@adapter_option
@options_option
@jobs_option
@into_option
@click.option(
    "--level",
    type=click.Choice([level.word for level in EvidenceLevel]),
    help="What has to be proven; what the environment asks, unless said.",
)
@click.option(
    "--receipt", type=click.Path(path_type=Path), metavar="FILE", help="Where the receipt goes, too."
)
@click.option("--json", "as_json", is_flag=True, help="Write the receipt as JSON.")
def verify(
    place: str,
    dsn: str | None,
    environment: str | None,
    adapter_name: str | None,
    options: tuple[str, ...],
    jobs: int,
    into: Path | None,
    level: str | None,
    receipt: Path | None,
    as_json: bool,
) -> int:
    """Restore the backup at PLACE, ask the copy, and keep a receipt of what was seen.

    The copy is a server of its own, in a folder of its own, disarmed; it is gone at the end. The database
    itself is read, and gets the receipt. Exit status 1: less is proven than the environment asks.
    """
    target, original = looked_at(dsn, environment)
    asked = declared(target)
    demand = Demand(EvidenceLevel.of(level), asked.age) if level else asked
    of = adapter(adapter_name) if adapter_name else recognized(place)
    with working(of, place, original, options, jobs, into) as found:
        proof = Proof()
        made = verifying.verify(found, original, proof, demand.age)
    receipt_store.keep(target.conninfo, made)
    project = Project.find(Path.cwd())
    name = re.sub(r"[^\w.-]", "_", original.database)  # it may hold anything, a slash too
    kept = project.root / ".pgrehearse" / "receipts" / f"{name}-{made.digest[:12]}.json"
    file = receipt_store.to_file(receipt or kept, made)
    if as_json:
        click.echo(json.dumps(made.to_json(), indent=2))
    else:
        click.echo(shown.lines(made.evidence))
        click.echo(shown.summary(made, demand))
        click.echo(f"receipt: in {original.database}, and {project.relative(file)}")
    return 0 if demand.met(made) else 1
