"""What a step did, as short texts: from facts alone, the same whatever the tables are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.measurement.evidence.cells import DocumentEvidence, LastMeasured
from pgrehearse.measurement.statement.facts import PROBES, Facts
from pgrehearse.site.content.published import Published
from pgrehearse.site.parts.step_summary import STALE, UNMEASURED, StepSummary, outcomes
from pgrehearse.text.document import Cell, parse

FREE, WAITS = dict.fromkeys(PROBES, "ok"), dict.fromkeys(PROBES, "waits")
ADD = Facts(locks={"items": "ACCESS EXCLUSIVE"}, probes={"items": WAITS})
BUILD = Facts(
    locks={"items": "SHARE UPDATE EXCLUSIVE"},
    probes={"items": FREE},
    scans=("items",),
    waits_for=("ROW EXCLUSIVE", "old snapshots"),
    transactional=False,
)
VALIDATE = Facts(locks={"items": "SHARE UPDATE EXCLUSIVE"}, probes={"items": FREE})
PARAMETERS = "parameters:\n  table: {description: Table, example: public.items}\n"
HEAD = f"---\ntitle: x\n{PARAMETERS}---\n\n# x\n\n## Apply\n\n"


def summaries(*sources: str, facts: dict[str, dict[str, Facts]], stale: bool = False) -> list[StepSummary]:
    """Of a step with these cells; ``facts`` of each statement, by its text and the major."""
    text = HEAD + "\n".join(f"```sql\n{source}\n```\n" for source in sources)
    document = parse(text, Path("x.md"))
    evidence = DocumentEvidence("x.md")
    for major in sorted({major for by_major in facts.values() for major in by_major}):
        found: list[tuple[Cell, list[tuple[str, Facts]]]] = [
            (
                cell,
                [
                    (sql, known[major])
                    for sql, known in facts.items()
                    if sql in cell.source and major in known
                ],
            )
            for cell in document.cells
        ]
        present = [cell for cell, statements in found if statements]
        evidence = evidence.with_major(major, LastMeasured(f"{major}.1", "2026-01-02"), present, found)
    if stale:
        evidence = DocumentEvidence("x.md", evidence.measured)
    return list(outcomes(Published("x.md", document, (), evidence=evidence), list(document.cells)))


def test_one_statement() -> None:
    (row,) = summaries("ALTER TABLE items ADD a int;", facts={"ALTER TABLE items ADD a int": {"18": ADD}})
    assert (row.lock, row.who) == ("ACCESS EXCLUSIVE on the table", "readers and writers of the table")
    assert (row.work, row.counts, row.blocks, row.grows) == ("catalog only", True, "readers and writers", "")
    assert row.what == ("ADD",)


def test_what_waits_itself_and_grows_with_the_table() -> None:
    sql = "CREATE INDEX CONCURRENTLY i ON items (a)"
    (row,) = summaries(f"{sql};", facts={sql: {"18": BUILD}})
    assert row.who == "nobody; it waits for writers in progress and old snapshots"
    assert row.work == row.grows == "reads the table whole"
    assert row.blocks == ""


def test_majors_that_differ_stand_beside_each_other() -> None:
    sql = "ALTER TABLE items VALIDATE CONSTRAINT c"
    (row,) = summaries(f"{sql};", facts={sql: {"15": ADD, "16": VALIDATE, "17": VALIDATE, "18": VALIDATE}})
    assert row.lock == "15: ACCESS EXCLUSIVE on the table; 16–18: SHARE UPDATE EXCLUSIVE on the table"
    assert row.who == "15: readers and writers of the table; 16–18: nobody"
    assert row.work == "catalog only"


def test_a_transaction_is_one_outcome() -> None:
    first, second = "ALTER TABLE items ADD a int", "ALTER TABLE items VALIDATE CONSTRAINT c"
    facts = {first: {"18": ADD}, second: {"18": VALIDATE}}
    (row,) = summaries(f"BEGIN;\n{first};\n{second};\nCOMMIT;", facts=facts)
    assert (row.what, row.lock) == (("in one transaction",), "ACCESS EXCLUSIVE on the table")
    apart = summaries(f"{first};\n{second};", facts=facts)
    assert [one.lock for one in apart] == ["ACCESS EXCLUSIVE on the table"], "harmless ones are left out"


def test_the_first_of_harmless_ones_stands_for_them() -> None:
    first, second = "ALTER TABLE items VALIDATE CONSTRAINT c", "COMMENT ON TABLE items IS 'x'"
    (row,) = summaries(f"{first};\n{second};", facts={first: {"18": VALIDATE}, second: {"18": VALIDATE}})
    assert not row.counts
    assert len(row.what) == 2, "the same outcome of two statements"


def test_the_strongest_lock_is_on_a_table() -> None:
    """A lock on an index is named where it is the harder one; what matters most is the table's."""
    drop = Facts(locks={"i": "ACCESS EXCLUSIVE", "items": "SHARE UPDATE EXCLUSIVE"}, probes={"items": FREE})
    sql = "DROP INDEX CONCURRENTLY i"
    (row,) = summaries(f"{sql};", facts={sql: {"18": drop}})
    assert row.lock == "SHARE UPDATE EXCLUSIVE on the table, ACCESS EXCLUSIVE on i"
    assert row.hardest == "SHARE UPDATE EXCLUSIVE on the table"
    plain = Facts(locks={"i": "ACCESS EXCLUSIVE", "items": "ACCESS EXCLUSIVE"}, probes={"items": WAITS})
    (harder,) = summaries("DROP INDEX i;", facts={"DROP INDEX i": {"18": plain}})
    assert harder.strength > row.strength


def test_rewrites_name_tables_and_count_indexes() -> None:
    facts = Facts(
        locks={"items": "ACCESS EXCLUSIVE"},
        probes={"items": WAITS},
        rewrites=("items", "items_pkey", "items_a_idx"),
        scans=("items",),
    )
    sql = "ALTER TABLE items ALTER a TYPE bigint"
    (row,) = summaries(f"{sql};", facts={sql: {"18": facts}})
    assert row.work == "rewrites the table and 2 indexes"
    only = Facts(locks={"i": "ACCESS EXCLUSIVE"}, rewrites=("i",))
    (row,) = summaries("REINDEX INDEX i;", facts={"REINDEX INDEX i": {"18": only}})
    assert row.work == "rewrites 1 index"


def test_many_relations_are_counted() -> None:
    facts = Facts(locks={f"t{n}": "SHARE" for n in range(4)}, scans=tuple(f"t{n}" for n in range(4)))
    sql = "CREATE INDEX i ON t0 (a)"
    (row,) = summaries(f"{sql};", facts={sql: {"18": facts}})
    assert row.lock == "SHARE on t0 and 3 more"
    assert row.work == "reads t0 and 3 more whole"


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("UPDATE items SET a = 1;", [UNMEASURED]),
        ("/* why */ delete FROM items;", [UNMEASURED]),
        ("SELECT 1;", []),
        ("SELECT 'UPDATE items SET a = 1'\n\\gexec", [UNMEASURED]),
    ],
)
def test_what_changes_rows_was_not_measured_apart(source: str, rows: list[str]) -> None:
    assert [row.lock for row in summaries(source, facts={})] == rows


def test_what_changed_since_is_said_and_nothing_else() -> None:
    sql = "ALTER TABLE items ADD a int"
    assert [row.lock for row in summaries(f"{sql};", facts={sql: {"18": ADD}}, stale=True)] == [STALE]


def test_a_copy_beside_traffic_keeps_others_waiting_at_its_end_and_says_on_which_majors() -> None:
    """The strongest lock alone said that readers wait for the whole copy."""
    sql = "REPACK (CONCURRENTLY) items"
    text = HEAD + f'```sql needs="19"\n{sql};\n```\n'
    document = parse(text, Path("x.md"))
    cells = list(document.cells)
    measured = LastMeasured("19rc1", "2026-01-02")
    evidence = DocumentEvidence("x.md").with_major("19", measured, cells, [(cells[0], [(sql, ADD)])])
    (row,) = outcomes(Published("x.md", document, (), evidence=evidence), cells)
    assert row.blocks == "19rc1: readers and writers, for a moment at its end"
    assert row.who == "19rc1: readers and writers of the table, for a moment at its end"
    (plain,) = summaries("REPACK items;", facts={"REPACK items": {"19": ADD}})
    assert plain.blocks == "readers and writers"


def test_a_lock_taken_where_it_is_free_is_not_called_nobodys() -> None:
    """The empty end of a table is cut off so: what was measured had nobody there, a reader's table has."""
    sql = 'VACUUM (TRUNCATE) "Shop"."items"'
    cut = Facts(locks={"items": "ACCESS EXCLUSIVE"}, probes={"items": FREE}, transactional=False)
    (row,) = summaries(f"{sql};", facts={sql: {"15": cut, "18": cut}})
    assert row.who == "readers and writers of the table, for a moment, once nobody uses it"
    assert (row.counts, row.blocks) == (True, "readers and writers, for a moment, once nobody uses it")
    plain = Facts(locks={"items": "SHARE UPDATE EXCLUSIVE"}, probes={"items": FREE}, transactional=False)
    (row,) = summaries(f"{sql};", facts={sql: {"15": plain, "18": plain}})
    assert (row.who, row.counts, row.blocks) == ("nobody", False, "")
