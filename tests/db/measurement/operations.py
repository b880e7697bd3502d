"""A catalogue of operations that was made by other means, and the tables it is about.

``locks`` of an operation names the strongest mode per relation, ``rewrite`` what gets a new file, ``scan``
whether the first of these relations is read whole, ``blocks`` who waits on it: R reads, W writes.
"""

from __future__ import annotations

from dataclasses import dataclass

SHORT = {
    "AS": "ACCESS SHARE",
    "RS": "ROW SHARE",
    "RX": "ROW EXCLUSIVE",
    "SUE": "SHARE UPDATE EXCLUSIVE",
    "S": "SHARE",
    "SRX": "SHARE ROW EXCLUSIVE",
    "X": "EXCLUSIVE",
    "AE": "ACCESS EXCLUSIVE",
}

SCHEMA = """
CREATE TYPE store AS ENUM ('amazon', 'etsy', 'other');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE app_users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL);
CREATE TABLE items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint,
    title varchar(100),
    note text,
    code varchar(10) CHECK (code <> ''),
    store store NOT NULL DEFAULT 'other',
    price numeric(8, 2),
    quantity int NOT NULL DEFAULT 1,
    rank int,
    seen timestamp
);
CREATE INDEX items_title_idx ON items (title);
CREATE TABLE plain (n int NOT NULL, m int, t text);
CREATE VIEW v AS SELECT id, quantity FROM items;
CREATE MATERIALIZED VIEW mv AS SELECT id, rank FROM items;
CREATE UNIQUE INDEX mv_id_idx ON mv (id);
CREATE TABLE wp (y int NOT NULL, n int) PARTITION BY RANGE (y);
CREATE TABLE wp_2025 PARTITION OF wp FOR VALUES FROM (2025) TO (2026);
CREATE TABLE wp_2026 PARTITION OF wp FOR VALUES FROM (2026) TO (2027);
CREATE TABLE wp_2027 (LIKE wp);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE SCHEMA other;
INSERT INTO app_users (email) SELECT 'user' || n FROM generate_series(1, 50) AS n;
INSERT INTO items (user_id, title, note, code, price, rank, seen)
SELECT 1 + n % 50, 'item ' || n, 'note ' || n, 'c' || n, n, n, '2026-01-01' FROM generate_series(1, 500) AS n;
INSERT INTO plain SELECT n, n, n FROM generate_series(1, 500) AS n;
INSERT INTO wp SELECT 2025 + n % 2, n FROM generate_series(1, 500) AS n;
INSERT INTO wp_2027 SELECT 2027, n FROM generate_series(1, 500) AS n;
REFRESH MATERIALIZED VIEW mv;
ANALYZE;
"""


@dataclass(frozen=True)
class Op:
    """One operation. ``row`` is its number in the catalogue; ``since`` the first major that has it."""

    row: str
    statement: str
    locks: str
    rewrite: str = "no"
    scan: bool = False
    blocks: str = "R+W"
    setup: tuple[str, ...] = ()
    since: int = 15
    sqlstate: str = ""
    waits_for: tuple[str, ...] = ()
    transactional: bool = True

    @property
    def table(self) -> str:
        return self.locks.partition(":")[0]


def alter(text: str) -> str:
    return f"ALTER TABLE items {text}"


FK = "ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES app_users"
NOT_NULL = "ADD CONSTRAINT rank_check CHECK (rank IS NOT NULL)"
READERS = ("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE")

# fmt: off
TRANSACTIONAL = [
    Op("1", alter("ADD COLUMN a int"), "items: AE"),
    Op("1", alter("ADD COLUMN IF NOT EXISTS note text"), "items: AE"),
    Op("2", alter("ADD COLUMN a int NOT NULL DEFAULT 7"), "items: AE"),
    Op("2", alter("ADD COLUMN a timestamptz DEFAULT now()"), "items: AE"),
    Op("3", alter("ADD COLUMN a uuid DEFAULT gen_random_uuid()"), "items: AE", "table", True),
    Op("4", alter("ADD COLUMN a bigserial"), "items: AE", "table", True),
    Op("4", alter("ADD COLUMN a int GENERATED ALWAYS AS IDENTITY"), "items: AE", "table", True),
    Op("5", alter("ADD COLUMN a int GENERATED ALWAYS AS (quantity * 2) STORED"), "items: AE", "table", True),
    Op("6", alter("ADD COLUMN a int GENERATED ALWAYS AS (quantity * 2) VIRTUAL"), "items: AE", since=18),
    Op("7", alter("ADD COLUMN a int CHECK (a > 0)"), "items: AE", scan=True),
    Op("8", alter("ADD COLUMN a bigint REFERENCES app_users"), "items: AE, app_users: SRX"),
    Op("9", alter("ADD COLUMN a int UNIQUE"), "items: AE", scan=True),
    Op("10", alter("ADD COLUMN a positive"), "items: AE", "table", True),
    Op("11", alter("ADD COLUMN a int NOT NULL"), "items: AE", scan=True, sqlstate="23502"),
    Op("12", alter("DROP COLUMN note"), "items: AE"),
    Op("13", alter("RENAME COLUMN note TO remark"), "items: AE"),
    Op("14", alter("RENAME TO things"), "items: AE"),
    Op("15", alter("ALTER COLUMN rank SET NOT NULL"), "items: AE", scan=True),
    Op("16", alter("ALTER COLUMN rank SET NOT NULL"), "items: AE", setup=(alter(NOT_NULL),)),
    Op("17", alter("ADD CONSTRAINT nn NOT NULL rank NOT VALID"), "items: AE", since=18),
    Op(
        "18",
        alter("VALIDATE CONSTRAINT nn"),
        "items: SUE",
        scan=True,
        blocks="",
        since=18,
        setup=(alter("ADD CONSTRAINT nn NOT NULL rank NOT VALID"),),
    ),
    Op("19", alter("ALTER COLUMN quantity DROP NOT NULL"), "items: AE"),
    Op("20", alter("ALTER COLUMN quantity SET DEFAULT 2"), "items: AE"),
    Op("20", alter("ALTER COLUMN quantity DROP DEFAULT"), "items: AE"),
    Op(
        "21",
        alter("ALTER COLUMN a SET EXPRESSION AS (rank + 1)"),
        "items: AE",
        "table",
        True,
        since=17,
        setup=(alter("ADD COLUMN a int GENERATED ALWAYS AS (rank) STORED"),),
    ),
    Op("22", alter("ALTER COLUMN title TYPE varchar(200)"), "items: AE"),
    Op("22", alter("ALTER COLUMN title TYPE text"), "items: AE"),
    Op("23", alter("ALTER COLUMN code TYPE varchar(20)"), "items: AE", scan=True),
    Op("24", alter("ALTER COLUMN note TYPE varchar(50)"), "items: AE", "table", True),
    Op("25", alter('ALTER COLUMN title TYPE varchar(100) COLLATE "POSIX"'), "items: AE", "index", True),
    Op("26", alter("ALTER COLUMN price TYPE numeric(12, 2)"), "items: AE"),
    Op("26", alter("ALTER COLUMN price TYPE numeric(12, 3)"), "items: AE", "table", True),
    Op(
        "27",
        alter("ALTER COLUMN rank TYPE bigint"),
        "items: AE",
        "table",
        True,
        setup=("DROP MATERIALIZED VIEW mv",),
    ),
    Op("28", alter("ALTER COLUMN seen TYPE timestamptz"), "items: AE", setup=("SET timezone = 'UTC'",)),
    Op(
        "28",
        alter("ALTER COLUMN seen TYPE timestamptz"),
        "items: AE",
        "table",
        True,
        setup=("SET timezone = 'Europe/Paris'",),
    ),
    Op("29", alter("ALTER COLUMN quantity TYPE bigint"), "items: AE", sqlstate="0A000"),
    Op("30", alter("ADD CHECK (rank > 0)"), "items: AE", scan=True),
    Op("31", alter("ADD CONSTRAINT c CHECK (rank > 0) NOT VALID"), "items: AE"),
    Op(
        "32",
        alter("VALIDATE CONSTRAINT c"),
        "items: SUE",
        scan=True,
        blocks="",
        setup=(alter("ADD CONSTRAINT c CHECK (rank > 0) NOT VALID"),),
    ),
    Op(
        "33",
        alter("ALTER COLUMN rank ADD GENERATED ALWAYS AS IDENTITY"),
        "items: AE",
        setup=(alter("ALTER COLUMN rank SET NOT NULL"),),
    ),
    Op("34", alter(FK), "items: SRX, app_users: SRX", scan=True, blocks="W"),
    Op("35", alter(f"{FK} NOT VALID"), "items: SRX, app_users: SRX", blocks="W"),
    Op(
        "36",
        alter("VALIDATE CONSTRAINT fk"),
        "items: SUE, app_users: RS",
        scan=True,
        blocks="",
        setup=(alter(f"{FK} NOT VALID"),),
    ),
    Op("37", alter("DROP CONSTRAINT fk"), "items: AE, app_users: AE", setup=(alter(FK),)),
    Op("37", "DROP TABLE items CASCADE", "app_users: AE, items: AE", setup=(alter(FK),)),
    Op("38", "CREATE TABLE child (item bigint REFERENCES items)", "items: SRX", blocks="W"),
    Op("39", alter("ADD UNIQUE (rank)"), "items: AE", scan=True),
    Op(
        "40",
        alter("ADD CONSTRAINT u UNIQUE USING INDEX u"),
        "items: AE",
        setup=("CREATE UNIQUE INDEX u ON items (rank)",),
    ),
    Op("41", "ALTER TABLE plain ADD PRIMARY KEY (n)", "plain: AE", scan=True),
    Op(
        "42",
        "ALTER TABLE plain ADD PRIMARY KEY USING INDEX u",
        "plain: AE",
        scan=True,
        setup=("CREATE UNIQUE INDEX u ON plain (m)",),
    ),
    Op("43", "ALTER TABLE plain ADD EXCLUDE USING btree (n WITH =)", "plain: AE", scan=True),
    Op(
        "44",
        alter("ALTER CONSTRAINT fk ENFORCED"),
        "items: AE, app_users: SRX",
        scan=True,
        since=18,
        setup=(alter(f"{FK} NOT ENFORCED"),),
    ),
    Op("45", "CREATE INDEX ON items (rank)", "items: S", scan=True, blocks="W"),
    Op("45", "CREATE INDEX IF NOT EXISTS items_title_idx ON items (title)", "items: S", blocks="W"),
    Op("47b", "DROP INDEX items_title_idx", "items: AE, items_title_idx: AE"),
    Op("47d", "REINDEX INDEX items_title_idx", "items: S, items_title_idx: AE", "index", True),
    Op("47e", "CREATE INDEX ON wp (n)", "wp: S, wp_2025: S, wp_2026: S", blocks="W"),
    Op(
        "47e",
        "ALTER INDEX wp_n ATTACH PARTITION c_n",
        "wp: AS, wp_2025: AS, c_n: AE",
        setup=("CREATE INDEX wp_n ON ONLY wp (n)", "CREATE INDEX c_n ON wp_2025 (n)"),
    ),
    Op("E1", "ALTER TYPE store ADD VALUE 'ikea' BEFORE 'etsy'", "type store: X", blocks=""),
    Op("E2", "ALTER TYPE store RENAME VALUE 'etsy' TO 'ikea'", "type store: X", blocks=""),
    Op(
        "E3",
        alter("ALTER COLUMN store TYPE s2 USING store::text::s2"),
        "items: AE",
        "table",
        True,
        setup=("CREATE TYPE s2 AS ENUM ('amazon', 'other')", alter("ALTER COLUMN store DROP DEFAULT")),
    ),
    Op("E4", alter("ALTER COLUMN store TYPE text"), "items: AE", "table", True),
    Op("E6", "DROP TYPE store", "items: AE", sqlstate="2BP01"),
    Op("49", "COMMENT ON TABLE items IS 'x'", "items: SUE", blocks=""),
    Op("49", "COMMENT ON COLUMN items.rank IS 'x'", "items: SUE", blocks=""),
    Op("50", alter("ALTER COLUMN rank SET STATISTICS 500"), "items: SUE", blocks=""),
    Op("50", alter("SET (fillfactor = 70)"), "items: SUE", blocks=""),
    Op("51", alter("ALTER COLUMN note SET STORAGE EXTERNAL"), "items: AE"),
    Op("52", alter("REPLICA IDENTITY FULL"), "items: AE"),
    Op(
        "53",
        "CREATE TRIGGER t BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION f()",
        "items: SRX",
        blocks="W",
    ),
    Op(
        "54",
        "DROP TRIGGER t ON items",
        "items: AE",
        setup=("CREATE TRIGGER t BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION f()",),
    ),
    Op("55", "ALTER SEQUENCE items_id_seq CACHE 20", "items_id_seq: SRX"),
    Op("56", "CREATE VIEW w AS SELECT id FROM items", "items: AS", blocks=""),
    Op("56", "CREATE OR REPLACE VIEW v AS SELECT id, quantity FROM items", "items: AS, v: AE", blocks=""),
    Op("57", "REFRESH MATERIALIZED VIEW CONCURRENTLY mv", "items: AS, mv: X", scan=True, blocks=""),
    Op("57", "REFRESH MATERIALIZED VIEW mv", "items: AS, mv: AE", "mv", True, blocks=""),
    Op("58", "TRUNCATE items", "items: AE", "table"),
    Op("60", "CLUSTER items USING items_pkey", "items: AE", "table", True),
    Op("61", alter("ENABLE ROW LEVEL SECURITY"), "items: AE"),
    Op("61", "CREATE POLICY p ON items USING (true)", "items: AE"),
    Op("61", alter("OWNER TO CURRENT_USER"), "items: AE"),
    Op("61", alter("SET SCHEMA other"), "items: AE"),
    Op("62", "GRANT SELECT ON items TO PUBLIC", "items: AS", blocks=""),
    Op("63", alter("SET UNLOGGED"), "items: AE, items_id_seq: AE", "table", True),
    Op(
        "64",
        "ALTER TABLE wp ATTACH PARTITION wp_2027 FOR VALUES FROM (2027) TO (2028)",
        "wp: SUE, wp_2027: AE",
        blocks="",
    ),
    Op("65", "CREATE TABLE wp_2028 PARTITION OF wp FOR VALUES FROM (2028) TO (2029)", "wp: AE"),
    Op("66", "ALTER TABLE wp DETACH PARTITION wp_2025", "wp: AE, wp_2025: AE"),
    Op("68", "DROP TABLE wp_2025", "wp: AE, wp_2025: AE"),
    Op("69", "UPDATE items SET rank = rank + 1", "items: RX", scan=True, blocks=""),
]

NON_TRANSACTIONAL = [
    Op(
        "46",
        "CREATE INDEX CONCURRENTLY z ON items (rank)",
        "items: SUE",
        scan=True,
        blocks="",
        waits_for=("ROW EXCLUSIVE", "old snapshots"),
        transactional=False,
    ),
    Op(
        "47c",
        "DROP INDEX CONCURRENTLY items_title_idx",
        "items: SUE",
        blocks="",
        waits_for=READERS,
        transactional=False,
    ),
    Op(
        "47",
        "REINDEX INDEX CONCURRENTLY items_title_idx",
        "items: SUE",
        "index",
        True,
        blocks="",
        waits_for=(*READERS, "old snapshots"),
        transactional=False,
    ),
    Op("59", "VACUUM items", "items: SUE", blocks="", transactional=False),
    Op(
        "59",
        "VACUUM items",
        "items: AE",
        blocks="",
        transactional=False,
        setup=(
            "INSERT INTO items (note) SELECT repeat('x', 500) FROM generate_series(1, 3000)",
            "DELETE FROM items WHERE id > 500",
        ),
    ),
    Op("60", "VACUUM FULL items", "items: AE", "table", True, transactional=False),
    Op(
        "67",
        "ALTER TABLE wp DETACH PARTITION wp_2025 CONCURRENTLY",
        "wp: SUE, wp_2025: AE",
        blocks="",
        waits_for=READERS,
        transactional=False,
    ),
]
# fmt: on
