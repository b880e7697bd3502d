"""Rule 10: every index and constraint says what it is for, in the file and in the database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pgrehearse import queries
from pgrehearse.findings import Finding
from pgrehearse.measurement.statement.client import Client
from pgrehearse.migration.policy.judged_file import File, Written
from pgrehearse.migration.policy.register import broken
from pgrehearse.text.concurrent import Detach, concurrent, detaches
from pgrehearse.text.split import tokens
from pgrehearse.text.variables import quote_identifier

__all__ = ["Made", "Objects", "check", "made_by", "read"]


@dataclass(frozen=True)
class Made:
    """An index or constraint: ``kind`` is INDEX or CONSTRAINT, ``owner`` its table or domain.

    ``follows`` a parent table: it came from there, and stays when the table is on its own.
    """

    oid: int
    kind: str
    owner: str
    name: str
    comment: str
    domain: bool
    follows: bool = False

    @property
    def known_as(self) -> tuple[str, str, str]:
        return self.kind, self.owner, self.name

    @property
    def comment_on(self) -> str:
        if self.kind == "INDEX":
            schema = self.owner.rpartition(".")[0]
            return f"COMMENT ON INDEX {schema + '.' if schema else ''}{_spelled(self.name)}"
        return (
            f"COMMENT ON CONSTRAINT {_spelled(self.name)} ON {'DOMAIN ' if self.domain else ''}{self.owner}"
        )


Objects = Sequence[Made]


def read(client: Client) -> Objects:
    """The indexes and constraints of the database of ``client``."""
    return [
        Made(oid, kind, owner, name, comment or "", domain, follows)
        for oid, kind, owner, name, comment, domain, follows in client.catalog(queries.text("named_objects"))
    ]


def made_by(states: Sequence[tuple[Written | None, Objects]]) -> list[tuple[Written, Made]]:
    """What each statement of a file made that the file leaves behind.

    A table that is renamed keeps its objects by oid, and so does one that leaves its parent; a type that
    changes makes its constraints again by name. What a detach makes is PostgreSQL's: until 18, a CHECK.
    """
    left = {made.oid for made in states[-1][1]}
    found = []
    for (_, before), (written, after) in pairwise(states):
        assert written is not None
        if detaches(written.sql) or isinstance(concurrent(written.sql), Detach):
            continue
        oids, names = {made.oid for made in before}, {made.known_as for made in before}
        found += [
            (written, made)
            for made in after
            if not made.follows and made.oid in left and made.oid not in oids and made.known_as not in names
        ]
    return found


def check(file: File, made: Sequence[tuple[Written, Made]], final: Objects) -> Iterator[Finding]:
    """``final`` is what the last file leaves: a COMMENT ON may stand in a later file."""
    for written, thing in made:
        if file.allowed("comment", written):
            continue
        line = _defined(written, thing)
        what = f"{thing.kind.lower()} {thing.name}"
        if line is None:
            yield _problem(
                file,
                written.line,
                written,
                f"{what} got its name from PostgreSQL",
                "name it, write its purpose in a comment line above, and " + thing.comment_on,
            )
            continue
        above = next((one for one in file.migration.comments if one.line == line - 1), None)
        if above is None or above.declares or not re.search(r"\w", above.text):
            yield _problem(
                file,
                line,
                written,
                f"{what} has no comment line above it",
                "write right above it which query or rule it serves",
            )
        now = next((m for m in final if m.oid == thing.oid or m.known_as == thing.known_as), None)
        if now is not None and not now.comment:
            yield _problem(
                file,
                line,
                written,
                f"{what} has no COMMENT ON, here or in a later file",
                f"{thing.comment_on} IS '...'; for a concurrent build in the next file",
            )


def _problem(file: File, line: int, written: Written, said: str, next_step: str) -> Finding:
    return broken(
        "comment", file.migration.path, line, said, next_step, written.sql, page="guides/comment-migrations"
    )


def _spelled(name: str) -> str:
    """``name`` as a statement spells it."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else quote_identifier(name)


def _defined(written: Written, thing: Made) -> int | None:
    """The line on which the definition starts; None when the statement does not name it."""
    line, start = written.line, written.line
    wanted = {thing.name, thing.name.lower(), '"' + thing.name.replace('"', '""') + '"'}
    if thing.kind == "INDEX":
        parts = [token.text for token in tokens(written.sql) if token.kind in ("word", "quoted")]
        named = any(part.lower() in wanted or part in wanted for part in parts)
        return start if named else None
    word = ""
    for token in tokens(written.sql):
        if token.kind in ("word", "quoted"):
            if word == "constraint" and (token.text in wanted or token.text.lower() in wanted):
                return start
            word = token.text.lower()
            if word == "constraint":
                start = line
        line += token.text.count("\n")
    return None
