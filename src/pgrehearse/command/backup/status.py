"""``pgrehearse backup status``: what is proven of the backups of a database, and whether that is enough."""

from __future__ import annotations

import json

import click

from pgrehearse.backup import original as originals
from pgrehearse.backup import receipt_store
from pgrehearse.backup.demand import best
from pgrehearse.command.backup import shown
from pgrehearse.command.backup.common import declared
from pgrehearse.command.db.target import announce, dsn_option, find
from pgrehearse.connections import connect

__all__ = ["status"]


@click.command()
@dsn_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def status(dsn: str | None, as_json: bool) -> int:
    """Show the receipt that counts, line by line, and what is missing.

    Exit status 1: no receipt is enough for what the environment asks.
    """
    target = find(dsn, session=False)
    announce(target)
    original = originals.look(target)
    demand = declared(target)
    with connect(target.conninfo, autocommit=True) as connection:
        found = best(receipt_store.receipts(connection), demand, original, original.now)
    asked = f"{demand.level.said}, at most {demand.age_said} old"
    if as_json:
        value = {
            "asked": {"level": demand.level.word, "seconds": int(demand.age.total_seconds())},
            "receipt": found[0].to_json() if found else None,
            "missing": [{"check": one.check, "said": one.said, "next": one.next_step} for one in found[1]]
            if found
            else None,
            "enough": found is not None and not found[1],
        }
        click.echo(json.dumps(value, indent=2))
        return 0 if value["enough"] else 1
    click.echo(f"asked for: {asked}")
    if found is None:
        click.echo("no backup of this database was verified")
        click.echo("  next: pgrehearse backup take PLACE, then pgrehearse backup verify PLACE")
        return 1
    receipt, lacks = found
    click.echo(shown.lines(receipt.evidence))
    click.echo(shown.summary(receipt, demand))
    for line in shown.missing_lines(lacks):
        click.echo(line)
    click.echo("not enough" if lacks else "enough")
    return 1 if lacks else 0
