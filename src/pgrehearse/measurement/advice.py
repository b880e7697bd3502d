"""Which page of the handbook has the safe way for a statement. The one place that knows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.text.concurrent import detaches
from pgrehearse.text.statement import code

__all__ = ["PAGES", "POLICY", "UNTRANSACTED", "advice", "partition_way", "rewrite_way", "scan_way"]

#: Where there is no page of its own: lock_timeout, one risky statement per migration, expand and contract.
POLICY = "guides/schema-evolution-policy"

#: Pattern of a statement (lower case, single spaces, no comments) -> its page; the first match wins.
PAGES = (
    (r"create (unique )?index (?!concurrently).* on only ", ""),
    (r"create (unique )?index (?!concurrently)", "runbooks/index-create"),
    (r"drop index (?!concurrently)", "runbooks/index-drop"),
    (r"reindex (?!.*concurrently)", "runbooks/index-repair"),
    (r"alter type .* add value .*\b(before|after) ", "runbooks/enum-add-value-in-order"),
    (r"alter type .* add value ", "runbooks/enum-add-value"),
    (r"alter type .* rename value ", "runbooks/enum-rename-value"),
    (r"alter type .* drop value ", "runbooks/enum-retire-value"),
    (r"alter table .* primary key (?!using index)", "runbooks/constraint-primary-key"),
    (r"alter table .* unique\b(?! using index)", "runbooks/constraint-unique"),
    (r"alter table .* set not null", "runbooks/constraint-not-null"),
    (r"alter table .* generated always as .* stored", "guides/live-traffic"),
    (r"alter table .* type .*::text::", "guides/enum-procedure"),  # the way from one enum to another
    (r"alter table .* alter (column )?[^ ]+ (set data )?type ", "runbooks/column-change-type"),
    (r"alter table .* add (constraint [^ ]+ )?foreign key\b", "runbooks/constraint-foreign-key"),
    (r"alter table .* add (constraint [^ ]+ )?check\b", "runbooks/constraint-check"),
    (r"alter table .* rename to ", "runbooks/table-rename"),
    (r"alter table .* rename (?!constraint)", "runbooks/column-rename"),
    (
        r"alter table .* add (column )?(?!constraint |exclude |generated |not null |primary |unique )",
        "runbooks/column-add",
    ),
    (
        r"alter table .* drop (column )?(?!constraint |default |expression |identity |not null )",
        "runbooks/column-drop",
    ),
    (r"(vacuum (full\b|\([^)]*\bfull\b)|cluster |repack )", "runbooks/table-shrink"),
    (r"(update|delete) ", "runbooks/backfill-in-batches"),
)

_FILLED_BY = r"\b(default|generated|(small|big)?serial[248]?)\b"
#: Pattern of a statement that writes a relation anew -> what to do in its place; the first match wins.
_REWRITES = (
    (
        r"truncate\b",
        "DELETE in batches keeps nobody waiting; where nobody needs the rows: -- allow: rewrite REASON",
    ),
    (
        r"refresh materialized view (?!concurrently)",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY; the view needs a unique index of columns, without WHERE",
    ),
    (
        r"(vacuum|cluster|repack)\b",
        "VACUUM without FULL keeps nobody waiting, and new rows use the space; to give it back: the runbook",
    ),
    (
        r"alter (table|materialized view|index) .* set (logged|unlogged|tablespace|access method)\b",
        "no other form of it lets them go on: fill a new table in batches and swap the names, or announce an"
        " outage",
    ),
    (
        r"alter table .* generated always as .* stored",
        "a plain column, a trigger that fills it, and the old rows in batches; from 18 on a VIRTUAL one needs"
        " no rewrite",
    ),
    (
        rf"alter table .* add (column )?(?!constraint )(?=.*{_FILLED_BY})",
        "add the column without a value, SET DEFAULT for new rows, and fill the old ones in batches",
    ),
    (
        r"alter table .* add (column )?(?!constraint )",
        "a column of the domain's own type with the CHECK NOT VALID, then VALIDATE: a domain that has a rule"
        " is tried on each row",
    ),
)

#: The same for a statement that reads a table whole; what may be NOT VALID has no line of its own.
_SCANS = (
    (
        r"alter table .* exclude\b",
        "nothing builds an exclusion rule beside writers: in batches fill a new table that has it, swap the"
        " names, or announce an outage",
    ),
    (
        r"alter table .* (unique|primary key)\b",
        "CREATE UNIQUE INDEX CONCURRENTLY in a file before it, then ADD CONSTRAINT ... USING INDEX",
    ),
    (
        r"alter table .* set not null\b",
        "a CHECK that says IS NOT NULL, NOT VALID, then VALIDATE in a later file: this reads nothing then",
    ),
)

#: How a file is sent that holds what refuses a transaction, where nothing is known of who sends it.
UNTRANSACTED = "sent without a transaction"
#: Pages whose way is CREATE INDEX CONCURRENTLY.
_OF_INDEXES = ("runbooks/index-create", "runbooks/constraint-primary-key", "runbooks/constraint-unique")


def advice(statement: str, facts: Facts, *, harmless: bool, partitioned: bool = False) -> str:
    """The page for ``statement``, such as ``runbooks/index-create``, or the empty string.

    ``harmless``: nobody waits and nothing is rewritten. Then only what changes many rows, and enum values,
    which have rules of their own, get a page. ``partitioned``: it is about a partitioned table, where nothing
    builds an index CONCURRENTLY.
    """
    text = code(statement) + " "
    for pattern, page in PAGES:
        if not re.match(pattern, text):
            continue
        if page == "runbooks/backfill-in-batches":
            whole = " where " not in text or (facts.row_locks and facts.scans)
            return page if whole else ""
        if harmless and "/enum-" not in page:
            return ""
        return "runbooks/index-partitioned" if partitioned and page in _OF_INDEXES else page
    return "" if harmless else POLICY


def partition_way(statement: str, *, default: str, scans: bool, untransacted: str = UNTRANSACTED) -> str:
    """What keeps nobody waiting for long in place of ``statement``; empty if it changes no partitions.

    ``default``: the default partition that it locks, if any: what PostgreSQL does there is another thing.
    ``scans``: it reads a partition whole while others wait.
    ``untransacted``: how a file comes to be sent without a transaction.
    """
    if detaches(statement):
        if default:
            return (
                f"nothing detaches CONCURRENTLY while there is a default partition ({default}): a short"
                " lock_timeout, and once more if it runs out"
            )
        return f"DETACH PARTITION ... CONCURRENTLY, in a file of its own, {untransacted}"
    text = code(statement)
    opposite = f"on {default} a CHECK that says the opposite of the bound" if default else ""
    if re.match(r"alter table .* attach partition ", text):
        if not scans:
            return ""
        bound = "on the new partition a CHECK that says what its bound says, IS NOT NULL too"
        checks = f"{bound}, and {opposite}; each" if opposite else f"{bound};"
        return f"before it, in files of their own: {checks} NOT VALID, then VALIDATE"
    if re.match(r"create .*table .* partition of ", text):
        made = "a table of its own, then ATTACH PARTITION, which locks the partitioned table against nobody"
        checked = f"; before that {opposite}, NOT VALID, then VALIDATE" if scans and opposite else ""
        return made + checked
    return ""


def rewrite_way(statement: str) -> str:
    """What to do in place of ``statement``, which writes a relation anew; empty for a change of a type."""
    return _way(_REWRITES, statement)


def scan_way(statement: str) -> str:
    """What to do in place of ``statement``, which reads a table whole; empty where NOT VALID is the way."""
    return _way(_SCANS, statement)


def _way(ways: Sequence[tuple[str, str]], statement: str) -> str:
    text = code(statement) + " "
    return next((way for pattern, way in ways if re.match(pattern, text)), "")
