"""From one form of a thing to another: a statement that keeps it where there is one, else anew."""

from __future__ import annotations

import re

from pgrehearse.schema.kinds import IDENTIFIER, NAME
from pgrehearse.schema.repair.columns import (
    changed_column,
    changed_head,
    changed_identity,
    numbers_on,
    set_options,
)
from pgrehearse.schema.repair.outlines import clause, options_changed, outline, within
from pgrehearse.schema.repair.types import changed_domain, changed_type
from pgrehearse.schema.repair.undoing import loses, undone

__all__ = ["changed", "created"]

#: A statement of which the new form alone is enough.
_ALONE = re.compile(
    r"COMMENT ON |ALTER (?:DATABASE|ROLE|EVENT TRIGGER|STATISTICS|SEQUENCE|EXTENSION|SUBSCRIPTION|INDEX) "
    r"|ALTER .* OWNER TO "
    rf"|ALTER (?:FOREIGN )?TABLE (?:ONLY )?{NAME} +(?:ENABLE|DISABLE|REPLICA|CLUSTER|SET )"
    rf"|ALTER (?:FOREIGN )?TABLE (?:ONLY )?{NAME} +ALTER (?:COLUMN )?{IDENTIFIER} SET [A-Z]"
)
#: What a publication does where it says nothing.
_PUBLICATION = {"publish_via_partition_root": "false", "publish_generated_columns": "none"}
_MEMBER = "\n-- owned by "


def created(sql: str) -> str:
    """``sql`` as it makes the thing on a database with rows: a dump leaves materialized views empty."""
    if sql.startswith("CREATE MATERIALIZED VIEW"):
        return re.sub(r"\s+WITH NO DATA$", "", sql)
    if sql.startswith("-- "):
        return ""
    if sql == "CREATE SCHEMA public":
        return f"{sql} AUTHORIZATION pg_database_owner; COMMENT ON SCHEMA public IS 'standard public schema'"
    return re.sub(r" -- trigger of constraint .*$", "", sql)


def changed(old: str, new: str) -> tuple[tuple[str, ...], str]:
    """Ways to make the second of the first, the gentlest first, and why a person has to decide about it."""
    if _MEMBER in old or _MEMBER in new:
        return _member(old, new)
    if _ALONE.match(new):
        return (created(new),), ""
    verb = re.match(r"[A-Z]+(?: [A-Z]+)*", new)
    kind = verb[0] if verb else ""
    if "ADD GENERATED" in outline(new) and " AS IDENTITY" in outline(old):
        return (changed_identity(old, new),), ""
    if kind.startswith(("ALTER TABLE", "ALTER FOREIGN TABLE")) and " ADD COLUMN " in new:
        sql, lost = changed_column(old, new)
        return (sql,) if sql else (), lost
    if re.match(r"CREATE (?:UNLOGGED |FOREIGN )*TABLE ", new):
        sql, lost = changed_head(old, new)
        return (sql,) if sql else (), lost
    if re.search(r"\sADD CONSTRAINT ", outline(new)):
        return _constraint(old, new), ""
    if new.startswith("CREATE TYPE"):
        sql, lost = changed_type(old, new)
        return ((sql,) if sql else (), lost) if sql or lost else (_anew(old, new), "")
    gentle = _gentle(old, new)
    return (*gentle, *_anew(old, new)), ""


def _gentle(old: str, new: str) -> tuple[str, ...]:
    """What keeps the thing, if there is such a statement for its kind."""
    if new.startswith("CREATE DOMAIN"):
        return tuple(filter(None, (changed_domain(old, new),)))
    if found := re.match(rf"CREATE (?:UNLOGGED )?SEQUENCE ({NAME})", new):
        return (_sequence(found[1], old, new),)
    if new.startswith(("CREATE FUNCTION", "CREATE PROCEDURE", "CREATE VIEW")):
        return (new.replace("CREATE ", "CREATE OR REPLACE ", 1),)
    if found := re.match(rf"CREATE MATERIALIZED VIEW ({NAME})", new):
        bodies = [clause(sql, r"AS\s") for sql in (old, new)]
        if bodies[0] == bodies[1]:
            return ("; ".join(set_options(f"ALTER MATERIALIZED VIEW {found[1]}", old, new)),)
    if found := re.match(rf"CREATE INDEX ({IDENTIFIER}) ON (?:ONLY )?({IDENTIFIER}\.)?", new):
        heads = [re.sub(r" WITH \([^)]*\)", "", sql) for sql in (old, new)]
        if heads[0] == heads[1]:
            return ("; ".join(set_options(f"ALTER INDEX {found[2] or ''}{found[1]}", old, new)),)
    found = re.match(rf"CREATE PUBLICATION ({IDENTIFIER})", new)
    if found and " FOR ALL TABLES" not in old + new:
        had, wants = ({one.partition(" = ")[0]: one for one in within(sql, "WITH")} for sql in (old, new))
        words = [
            *wants.values(),
            *(f"{name} = {_PUBLICATION.get(name)}" for name in had if name not in wants),
        ]
        return (f"ALTER PUBLICATION {found[1]} SET ({', '.join(words)})",)
    if (
        found := re.match(
            rf"CREATE (SERVER|FOREIGN DATA WRAPPER|USER MAPPING FOR) ({IDENTIFIER}(?: SERVER {IDENTIFIER})?)",
            new,
        )
    ) and (parts := options_changed(old, new)):
        return (f"ALTER {found[1]} {found[2]} {parts}",)
    if found := re.match(rf"CREATE EXTENSION IF NOT EXISTS ({IDENTIFIER}) WITH SCHEMA ({IDENTIFIER})", new):
        return (f"ALTER EXTENSION {found[1]} SET SCHEMA {found[2]}",)
    if found := re.match(rf"CREATE TEXT SEARCH DICTIONARY ({NAME})", new):
        had, wants = (
            dict(one.strip().partition(" = ")[::2] for one in within(sql, re.escape(found[1])))
            for sql in (old, new)
        )
        gone = [name for name in had if name not in wants]
        words = [*gone, *(f"{name} = {value}" for name, value in wants.items() if had.get(name) != value)]
        return (f"ALTER TEXT SEARCH DICTIONARY {found[1]} ({', '.join(words)})",)
    return ()


def _anew(old: str, new: str) -> tuple[str, ...]:
    """Away with the old and here is the new: without what hangs on it, then with it where no row is lost."""
    drop = undone(old)
    if not drop or (drop.startswith("DROP ") and loses(drop)):
        return ()
    ways = (f"{drop}; {created(new)}",)
    return (*ways, f"{drop} CASCADE; {created(new)}") if drop.startswith("DROP ") else ways


def _constraint(old: str, new: str) -> tuple[str, ...]:
    table = re.match(
        rf"(ALTER (?:FOREIGN )?TABLE (?:ONLY )?{NAME}|ALTER DOMAIN {NAME})\s+ADD CONSTRAINT ({IDENTIFIER})",
        new,
    )
    if table is not None:
        if old == new + " NOT VALID":
            return (f"{table[1]} VALIDATE CONSTRAINT {table[2]}",)
        bodies = [re.sub(r" DEFERRABLE(?: INITIALLY DEFERRED)?$", "", sql) for sql in (old, new)]
        if bodies[0] == bodies[1] and " FOREIGN KEY " in outline(new):
            state = new[len(bodies[1]) :].strip() or "NOT DEFERRABLE"
            if state == "DEFERRABLE":
                state += " INITIALLY IMMEDIATE"
            return (f"{table[1]} ALTER CONSTRAINT {table[2]} {state}".replace("TABLE ONLY", "TABLE"),)
    return _anew(old, new)


def _sequence(name: str, old: str, new: str) -> str:
    types = [found[1] if (found := re.search(r"\sAS (\w+)", sql)) else "bigint" for sql in (old, new)]
    words = [f"AS {types[1]}"] if types[0] != types[1] else []
    todo = [f"ALTER SEQUENCE {name} {' '.join([*words, *numbers_on(new)])}"]
    logged = [sql.startswith("CREATE UNLOGGED") for sql in (old, new)]
    if logged[0] != logged[1]:
        todo.append(f"ALTER SEQUENCE {name} SET {'UNLOGGED' if logged[1] else 'LOGGED'}")
    return "; ".join(todo)


def _member(old: str, new: str) -> tuple[tuple[str, ...], str]:
    """A function of an extension: as the extension has it."""
    (was, had), (text, owner) = (sql.rsplit(_MEMBER, 1) for sql in (old, new))
    target = undone(text.replace("CREATE OR REPLACE", "CREATE", 1))
    if not target or not text:
        return (), "what an extension made: only a new installation of it is sure to be right"
    todo = [text.strip()] if was != text else []
    todo += [f"ALTER {target.removeprefix('DROP ')} OWNER TO {owner}"] if had != owner else []
    return ("; ".join(todo),), ""
