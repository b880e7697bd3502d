"""Which page has the safe way: by what a statement is, not by what stands in its texts."""

from __future__ import annotations

import pytest

from pgrehearse.measurement.advice import PAGES, POLICY, advice, partition_way, rewrite_way, scan_way
from pgrehearse.measurement.statement.facts import Facts
from support import ROOT

WHOLE = Facts(row_locks=("t",), scans=("t",))


@pytest.mark.parametrize(
    ("statement", "page"),
    [
        ("CREATE INDEX i ON t (a)", "runbooks/index-create"),
        ("create /* why */ unique\n index -- x\n i on t (a)", "runbooks/index-create"),
        ("CREATE INDEX i ON ONLY t (a)", ""),
        ("create index /* x */ concurrently i on t (a)", POLICY),
        ("DROP INDEX i", "runbooks/index-drop"),
        ("REINDEX TABLE t", "runbooks/index-repair"),
        ("ALTER TYPE store ADD VALUE 'x'", "runbooks/enum-add-value"),
        ("ALTER TYPE store ADD VALUE 'x' BEFORE 'y'", "runbooks/enum-add-value-in-order"),
        ("ALTER TYPE store ADD VALUE 'the day after tomorrow'", "runbooks/enum-add-value"),
        ("ALTER TYPE store RENAME VALUE 'a' TO 'b'", "runbooks/enum-rename-value"),
        ("ALTER TABLE t ADD PRIMARY KEY (id)", "runbooks/constraint-primary-key"),
        ("ALTER TABLE t ADD PRIMARY KEY USING INDEX i", POLICY),
        ("ALTER TABLE t ADD UNIQUE (a)", "runbooks/constraint-unique"),
        ("ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i", POLICY),
        ("ALTER TABLE t ADD unique_id int", "runbooks/column-add"),
        ('ALTER TABLE t ADD "a unique one" int', "runbooks/column-add"),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int", "runbooks/column-add"),
        ("ALTER TABLE t ADD CONSTRAINT e EXCLUDE (a WITH =)", POLICY),
        ("ALTER TABLE t ALTER a ADD GENERATED ALWAYS AS IDENTITY", POLICY),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "runbooks/constraint-check"),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u", "runbooks/constraint-foreign-key"),
        ('ALTER TABLE "a b" ALTER COLUMN "the type" TYPE bigint', "runbooks/column-change-type"),
        ("ALTER TABLE t ALTER a SET DATA TYPE bigint", "runbooks/column-change-type"),
        ("ALTER TABLE t RENAME a TO b", "runbooks/column-rename"),
        ("ALTER TABLE t RENAME COLUMN a TO b", "runbooks/column-rename"),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b", POLICY),
        ("ALTER TABLE t RENAME TO u", "runbooks/table-rename"),
        ("ALTER TABLE t DROP a", "runbooks/column-drop"),
        ("ALTER TABLE t DROP COLUMN IF EXISTS a", "runbooks/column-drop"),
        ("ALTER TABLE t DROP CONSTRAINT a", POLICY),
        ("ALTER TABLE t ALTER a DROP DEFAULT", POLICY),
        ("ALTER TABLE t ALTER a SET DEFAULT 'a unique one'", POLICY),
        ("ALTER TABLE t ALTER a SET NOT NULL", "runbooks/constraint-not-null"),
        ("ALTER TABLE t ALTER a SET DEFAULT ' set not null'", POLICY),
        ("ALTER TABLE t ALTER a TYPE store USING a::text::store", "guides/enum-procedure"),
        ("VACUUM FULL t", "runbooks/table-shrink"),
        ("VACUUM (ANALYZE, FULL) t", "runbooks/table-shrink"),
        ("VACUUM (FREEZE) full_t", POLICY),
        ("CLUSTER t USING i", "runbooks/table-shrink"),
        ("REPACK (CONCURRENTLY) t", "runbooks/table-shrink"),
        ("", POLICY),
    ],
)
def test_of_what_somebody_waits_for(statement: str, page: str) -> None:
    assert advice(statement, Facts(), harmless=False) == page


@pytest.mark.parametrize(
    ("statement", "facts", "page"),
    [
        ("DELETE FROM t", Facts(), "runbooks/backfill-in-batches"),
        ("UPDATE t SET a = 1 WHERE b", WHOLE, "runbooks/backfill-in-batches"),
        ("UPDATE t SET a = 1 WHERE b", Facts(row_locks=("t",)), ""),
        ("UPDATE t SET a = ' where '", Facts(), "runbooks/backfill-in-batches"),
        ("UPDATE t SET a = 1\nWHERE\nid = 1", Facts(), ""),
    ],
)
def test_what_changes_a_whole_table_is_never_harmless(statement: str, facts: Facts, page: str) -> None:
    for harmless in (True, False):
        assert advice(statement, facts, harmless=harmless) == page


def test_of_harmless_statements_only_enum_values_have_rules() -> None:
    assert advice("ALTER TABLE t ADD b int", Facts(), harmless=True) == ""
    assert advice("CREATE INDEX i ON t (a)", Facts(), harmless=True) == ""
    assert advice("CREATE INDEX CONCURRENTLY i ON t (a)", Facts(), harmless=True) == ""
    assert advice("ALTER TYPE store ADD VALUE 'x'", Facts(), harmless=True) == "runbooks/enum-add-value"


def test_every_pattern_is_lower_case() -> None:
    assert all(pattern == pattern.lower() for pattern, _ in PAGES)


def test_every_page_is_there() -> None:
    for page in {POLICY, *(page for _, page in PAGES if page)}:
        assert (ROOT / "docs" / f"{page}.md").is_file(), page


@pytest.mark.parametrize(
    ("statement", "default", "scans", "said", "not_said"),
    [
        ("ALTER TABLE t DETACH PARTITION a", "", False, "DETACH PARTITION ... CONCURRENTLY", "default"),
        (
            "alter table only t detach partition a",
            "t_rest",
            False,
            "while there is a default",
            "transaction:",
        ),
        ("ALTER TABLE t ATTACH PARTITION a DEFAULT", "", True, "on the new partition", "opposite"),
        (
            "ALTER TABLE t /* x */ ATTACH PARTITION a FOR VALUES IN (1)",
            "t_rest",
            True,
            "on t_rest a CHECK",
            "x",
        ),
        ("CREATE TABLE a PARTITION OF t FOR VALUES IN (1)", "", False, "ATTACH PARTITION", "CHECK"),
        (
            "CREATE UNLOGGED TABLE a PARTITION OF t FOR VALUES IN (1)",
            "d",
            True,
            "before that on d",
            "bound says",
        ),
    ],
)
def test_the_way_with_partitions(statement: str, default: str, scans: bool, said: str, not_said: str) -> None:
    way = partition_way(statement, default=default, scans=scans)
    assert said in way
    assert not_said not in way.split()


@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE t ATTACH PARTITION a FOR VALUES IN (1)", "CREATE TABLE t (a int)", "ALTER TABLE t DROP a"],
)
def test_nothing_is_said_where_nothing_is_better(statement: str) -> None:
    assert partition_way(statement, default="t_rest", scans=False) == ""


@pytest.mark.parametrize(
    ("statement", "way"),
    [
        ("REFRESH MATERIALIZED VIEW sums", "CONCURRENTLY"),
        ('VACUUM (FULL, VERBOSE) "T"', "VACUUM without FULL"),
        ("CLUSTER t USING i", "VACUUM without FULL"),
        ("ALTER TABLE t SET LOGGED", "fill a new table"),
        ("ALTER TABLE t SET UNLOGGED", "fill a new table"),
        ("ALTER INDEX i SET TABLESPACE fast", "fill a new table"),
        ("ALTER TABLE t SET ACCESS METHOD heap2", "fill a new table"),
        ("ALTER TABLE t ADD COLUMN x uuid DEFAULT gen_random_uuid()", "SET DEFAULT"),
        ("ALTER TABLE t ADD x bigserial", "SET DEFAULT"),
        ("ALTER TABLE t ADD COLUMN x int GENERATED ALWAYS AS (a) STORED", "VIRTUAL"),
        ("TRUNCATE t, u", "DELETE in batches"),
        ("ALTER TABLE t ADD COLUMN zip zip", "the domain's own type"),
        ("ALTER TABLE t ALTER COLUMN x TYPE bigint", ""),
        ("DO $$BEGIN EXECUTE 'VACUUM'; END$$", ""),
    ],
)
def test_what_to_do_in_place_of_a_rewrite(statement: str, way: str) -> None:
    said = rewrite_way(statement)
    assert way in said
    assert bool(said) is bool(way)


@pytest.mark.parametrize(
    ("statement", "way"),
    [
        ('ALTER TABLE "T" ADD CONSTRAINT u UNIQUE (a)', "USING INDEX"),
        ("ALTER TABLE t ADD PRIMARY KEY (a)", "USING INDEX"),
        ("ALTER TABLE s.t ADD EXCLUDE USING gist (a WITH &&)", "nothing builds"),
        ("ALTER TABLE t ALTER a SET NOT NULL", "IS NOT NULL"),
        ("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)", ""),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u", ""),
    ],
)
def test_what_to_do_in_place_of_a_scan(statement: str, way: str) -> None:
    said = scan_way(statement)
    assert way in said
    assert bool(said) is bool(way)
