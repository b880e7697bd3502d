"""The example database of db/, made with psycopg alone: a second opinion beside the engine's own runner."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

from support import ROOT

__all__ = ["DB", "FILES", "Connection", "migrate", "read_migration", "seed"]

DB = ROOT / "db"
FILES = sorted((DB / "migrations").glob("*.sql"))
MARKER = re.compile(r"^-- migrate:(up|down)([^\n]*)$", re.MULTILINE)

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True)
class Section:
    """One direction of a migration file."""

    text: str
    transaction: bool


def read_migration(path: Path) -> dict[str, Section]:
    """Split one file at dbmate's markers; both directions must be there, in this order."""
    before, *rest = MARKER.split(path.read_text(encoding="utf-8"))
    assert all(not line or line.startswith("--") for line in before.splitlines()), f"{path}: SQL before up"
    assert rest[0::3] == ["up", "down"], f"{path}: wants -- migrate:up, then -- migrate:down"
    return {
        direction: Section(text, transaction="transaction:false" not in options)
        for direction, options, text in zip(rest[0::3], rest[1::3], rest[2::3], strict=True)
    }


def migrate(connection: Connection, path: Path, direction: str) -> None:
    section = read_migration(path)[direction]
    if section.transaction:
        with connection.transaction():
            connection.execute(section.text)
    else:
        # A prepared statement holds one statement: PostgreSQL itself refuses a second one (42601).
        connection.execute(section.text, prepare=True)


def seed(connection: Connection, rows: int) -> None:
    text = (DB / "seed.sql").read_text(encoding="utf-8")
    assert ":'rows'" in text
    connection.execute(text.replace(":'rows'", f"'{rows}'"))
