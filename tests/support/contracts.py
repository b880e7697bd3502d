"""Contracts of smoke tests, run on a database, and what they found."""

from __future__ import annotations

from pathlib import Path

import psycopg

from pgrehearse.migration.smoke.contract import load
from pgrehearse.migration.smoke.smoke import SmokeOptions, SmokeReport, run

__all__ = ["TRIGGER", "found", "of", "rows"]

#: A trigger that the example does not have.
TRIGGER = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.title = 'forbidden' THEN RAISE EXCEPTION 'this title is forbidden'; END IF;
    NEW.title := upper(NEW.title);
    RETURN NEW;
END $$;
CREATE TRIGGER shout BEFORE INSERT ON wishlist_items FOR EACH ROW EXECUTE FUNCTION touch();
"""


def found(report: SmokeReport) -> list[str]:
    return [f"{f.line} {f.about}: {f.message}" for f in report.findings]


def of(tmp_path: Path, dsn: str, text: str, **options: object) -> SmokeReport:
    """Run a contract of its own; what it leaves out is no finding here."""
    path = tmp_path / "smoke.sql"
    path.write_text(text, "utf-8")
    report = run(dsn, load(path), SmokeOptions(**options))  # type: ignore[arg-type]
    report.findings[:] = [f for f in report.findings if not f.message.startswith("no entry shows")]
    return report


def rows(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        query = "SELECT (SELECT count(*) FROM app_users), (SELECT count(*) FROM wishlist_items)"
        return connection.execute(query).fetchall()
