"""The same script through real psql and through the executor: same statements sent, same text printed."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.execution.executor import Executor
from pgrehearse.servers import Server, libpq_environment, start
from pgrehearse.servers.binaries import client
from pgrehearse.text.document import parse
from support.databases import execute
from support.majors import TEST_MAJOR
from support.waiting import LIMIT, wait_until

HOSTILE = "x'); DROP TABLE wishlist_items;--"

#: Scripts; the first failing statement ends each, as ON_ERROR_STOP does in psql.
SCRIPTS = {
    "types": """
SELECT 1::int2 a, 2::int4 b, 3::int8 c, 1.50::numeric d,
        1.5::float4 e, 'NaN'::float8 f, 12::money g, 7::oid h;
SELECT '1'::xid a, '2'::cid b, '3'::xid8 c, true d,
       'x'::text e, 'y'::"char" f, 'z '::char(3) g, 'n'::name h;
SELECT date '2026-01-02', time '10:00',
       timestamptz '2026-01-02 03:04:05+02', interval '1 day 2:03', '{}'::json;
SELECT '{1,2}'::int[] a, '\\x00ff'::bytea b, '(1,2)'::point c,
       'a=>b'::text d, ROW(1, NULL, 'x y') e, '[1,2)'::int4range f;
SELECT '127.0.0.1'::inet, '<a>&amp;</a>'::text, gen_random_uuid() IS NULL AS u, 'pg_class'::regclass, B'101';
""",
    "nulls and empties": """
SELECT NULL AS a, NULL::int AS b, '' AS c, ' ' AS d, '(null)' AS e;
SELECT 1 AS a WHERE false;
SELECT;
SELECT WHERE false;
SELECT FROM generate_series(1, 3);
SELECT 1 AS "", 2 AS " ", 3;
SELECT '' AS a;
""",
    "wide and odd characters": """
SELECT 'ä' AS a, '日本語' AS b, 'é' AS c, '😀' AS d,
        '👩‍👩‍👧' AS e, '🇩🇪' AS f, '❤️' AS g, 'ก็' AS h, '｡' AS i;
SELECT E'a\\tb' AS tab, E'\\t' AS "\t", E'x\\ty\\tz' AS three, E'日\\tb' AS wide;
SELECT E'a\\rb' AS cr, E'\\x01\\x1f\\x7f' AS control,
       E'a\\x08' AS bs, U&'\\0085\\009f' AS c1, U&'\\00ad' AS shy;
SELECT U&'\\200b\\200d\\2060' AS zero, U&'\\feff' AS bom,
        U&'\\2028' AS ls, U&'\\00a0' AS nbsp, U&'\\+01F1E9' AS flag;
SELECT 'x' AS "日本", 'long value here' AS "é", 12345678 AS n;
SELECT repeat('x', 200) AS long,
       1 AS "a very long column name that is wider than its value";
""",
    "several lines": """
SELECT E'a\\nb' AS x, 1 AS y;
SELECT E'a\\n\\nlong line\\n' AS x, E'p\\nq' AS y, NULL AS z;
SELECT E'\\n' AS x, E'1\\n2\\n3' AS y UNION ALL SELECT 'b', 'c';
SELECT 1 AS "two
lines", 2 AS one;
SELECT E'日本\\nx' AS a, 12 AS b;
SELECT E'a\\r\\nb' AS crlf;
""",
    "commands": """
CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT 'd');
INSERT INTO t VALUES (1, 'a'), (2, NULL);
INSERT INTO t VALUES (3) RETURNING *;
INSERT INTO t VALUES (4) RETURNING id, v, NULL AS n;
UPDATE t SET v = 'z' WHERE id < 3;
UPDATE t SET v = 'y' WHERE id = 9 RETURNING id;
DELETE FROM t WHERE id = 4 RETURNING id;
MERGE INTO t USING (VALUES (1)) AS s (id) ON t.id = s.id WHEN MATCHED THEN DELETE;
TABLE t ORDER BY id;
VALUES (1, 'a'), (2, 'b');
EXPLAIN (COSTS OFF) SELECT * FROM t WHERE id = 1;
EXPLAIN (COSTS OFF) INSERT INTO t VALUES (9);
SHOW search_path;
BEGIN;
DECLARE c CURSOR FOR SELECT 1 AS x;
FETCH 5 FROM c;
FETCH 5 FROM c;
MOVE ALL FROM c;
ROLLBACK;
PREPARE p AS SELECT 1 AS y;
EXECUTE p;
COPY t TO '/dev/null';
SELECT * INTO u FROM t;
CREATE TABLE w AS SELECT 1 AS x;
VACUUM t;
CREATE INDEX CONCURRENTLY ON t (v);
LOCK TABLE t;
""",
    "procedures and notices": """
CREATE PROCEDURE p(INOUT a int, OUT b text) LANGUAGE plpgsql AS $$ BEGIN a := a + 1; b := 'x'; END $$;
CALL p(1, NULL);
CREATE PROCEDURE q() LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'plain'; RAISE WARNING 'two
lines' USING HINT = 'a hint', DETAIL = 'a detail'; RAISE INFO '(2 rows)'; END $$;
CALL q();
DROP TABLE IF EXISTS none;
DO $$ BEGIN RAISE NOTICE 'in; a block'; END $$;
SELECT 1 AS after;
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
SELECT f();
""",
    "lexing": """
-- a leading comment
SELECT 'a;b' AS a, E'\\';\\'' AS b; SELECT $x$ ; $$ ; $x$ AS c /* ; /* nested ; */ ; */;
/* before */ SELECT ARRAY[1,2,3][1:2], 1::int, "x;y" FROM (SELECT 1 AS "x;y") AS s;
;;
; SELECT 1 -- ; not here
+ 1 AS two;
SELECT (SELECT 1; SELECT 2);
""",
    "a rule with two statements": """
CREATE TABLE t (a int);
CREATE TABLE l (a int);
CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO l VALUES (new.a); INSERT INTO l VALUES (-new.a););
INSERT INTO t VALUES (1) ;
SELECT * FROM l ORDER BY 1
""",
    "identifiers and other strings": """
SELECT 1 AS a$b$c, 2 AS "d""e", 3 AS é$x;
SELECT U&'d\\0061t\\+000061' AS u, N'n' AS n, X'1F' AS x, 1_000 AS grouped;
""",
    "error with position": "SELECT 1;\n\nSELECT\n  nonsense\nFROM pg_class;\nSELECT 2;",
    "error with detail": """
CREATE TABLE t (a int PRIMARY KEY, b text CHECK (b <> ''));
INSERT INTO t VALUES (1, 'x');
INSERT INTO t VALUES (1, 'y');
""",
    "error with context": "DO $$\nBEGIN\n  PERFORM 1 / 0;\nEND $$;",
    "error with hint": "SELECT uper('a');",
    "error after a comment": "/* one\n   two */ -- three\nSELECT nope;",
    "error in a long wide line": f"SELECT '{'日本語' * 30}', nope, '{'x' * 80}';",
    "error in a transaction": "BEGIN;\nSELECT 1/0;\nCOMMIT;",
    "no-break space": "SELECT 1\u00a0;",
    "unclosed parenthesis": "SELECT (1;\nSELECT 2;",
    "function named begin": "CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1';\nSELECT 2;\n",
    "variables": """
CREATE TABLE wishlist_items (id int, label text);
INSERT INTO wishlist_items VALUES (1, :'label') RETURNING label, :'label' = label AS same;
SELECT :'backslash' AS a, :'lines' AS b, :'quotes' AS c, :'unicode' AS d,
       :'empty' AS e,:'dollar'AS f, :'e' AS g;
SELECT 1 AS :"label", 2 AS :"quotes", 3 AS :"backslash", 4 AS :"unicode";
SELECT ':''label''' AS literal, $$:'label'$$ AS dollar, ':label' AS raw /* :'label' */ -- :'label'
;
SELECT '{a,b,c}'::text[], (ARRAY[1,2,3])[1:2], 'x'::"char";
SELECT 'INSERT INTO wishlist_items VALUES (2, ' || quote_literal(:'label') || ')' \\gexec
SELECT count(*) FROM wishlist_items;
""",
    "gexec": """
SELECT 'SELECT 1 AS one', 'SELECT 2 AS two' UNION ALL SELECT NULL, 'CREATE TABLE made (a int)'
\\gexec
SELECT 'x' WHERE false \\gexec
SELECT 'SELECT 3; SELECT 4' \\gexec
SELECT format('CREATE INDEX %I ON made (a)', 'i' || n) FROM generate_series(1, 3) AS n \\gexec
SELECT relname FROM pg_class WHERE relname ~ '^i[0-9]$' ORDER BY 1;
""",
    "gexec with an error": "SELECT 'SELECT 1 AS a', 'SELECT nope', 'SELECT 2 AS b' \\gexec\nSELECT 3;",
    "gexec whose query fails": "SELECT nope \\gexec\nSELECT 3;",
    "gexec of a command": "CREATE TABLE t (a int) \\gexec\nSELECT 3;",
}  # fmt: skip
#: psql goes on with the next statement that \gexec generated after one failed; a cell stops at the first.
STOPS_EARLIER = {"gexec with an error"}
VALUES = {
    "label": HOSTILE,
    "backslash": "a\\b\\'c",
    "lines": "one\ntwo\n",
    "quotes": 'it\'s "quoted"',
    "unicode": "日本 é 😀",
    "empty": "",
    "dollar": "$$ $1 :'label' \\gexec",
    "e": "E'x'",
}


@pytest.fixture(scope="module")
def logging() -> Iterator[Server]:
    settings = {
        "log_destination": "jsonlog",
        "logging_collector": "on",
        "log_statement": "all",
        "log_rotation_size": "0",
    }
    with start(TEST_MAJOR, settings=settings) as server:
        yield server


@pytest.fixture
def two(logging: Server, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    names = ("by_psql", "by_us")
    with psycopg.connect(logging.dsn(), autocommit=True) as admin:
        for name in names:
            admin.execute(f"CREATE DATABASE {name}")
        yield names
        for name in names:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def by_psql(server: Server, database: str, script: str, folder: Path) -> str:
    path = folder / "script.sql"
    path.write_text("\\pset null '(null)'\n" + script, "utf-8")
    command = [str(client("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "QUIET=0", "-f", str(path)]
    for name, value in VALUES.items():
        command += ["-v", f"{name}={value}"]
    environment = libpq_environment({**server.env(database), "PGCLIENTENCODING": "UTF8", "LC_ALL": "C"})
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT, check=False
    )
    text = done.stdout.decode()
    return re.sub(rf"(?m)^psql:{re.escape(str(path))}:\d+: ", "", text).removeprefix(
        'Null display is "(null)".\n'
    )


def by_us(server: Server, database: str, script: str) -> str:
    cell = parse(f"```sql\n{script.strip(chr(10))}\n```\n", Path("page.md")).cells[0]
    executor = Executor(
        server.dsn(database), environment={}, path=Path("page.md"), major=server.major, values=VALUES
    )
    with executor:
        (result,) = executor.run(cell)
    return result.output


def comparable(text: str) -> list[str]:
    # We send a statement without its semicolon, which shows where an error message quotes its end.
    lines = [line.rstrip(" ") for line in text.strip("\n").split("\n")]
    return [line.removesuffix(";") if line.startswith("LINE ") else line for line in lines]


def sent(server: Server, database: str) -> list[str]:
    """The statements that reached ``database``, in order, from the server's log."""
    marker = f"marker {time.monotonic_ns()}"
    execute(server.dsn(), f"SELECT '{marker}'")
    folder = Path(server.env("postgres")["PGHOST"]) / "data" / "log"

    def log() -> str:
        return "".join(file.read_text("utf-8") for file in sorted(folder.glob("*.json")))

    wait_until(lambda: marker in log(), "the log is written")
    text = log()
    entries = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
    since = max(i for i, e in enumerate(entries) if f"CREATE DATABASE {database}" in e["message"])
    found = [
        entry["message"].removeprefix("statement: ")
        for entry in entries[since:]
        if entry.get("dbname") == database and entry["message"].startswith("statement: ")
    ]
    # psql sends the semicolon with a statement, and a lone semicolon.
    shown = (re.sub(r"\s*;?\s*$", "", text) for text in found if "pg_blocking_pids" not in text)
    return [text for text in shown if text]


@pytest.mark.parametrize("name", SCRIPTS)
def test_same_statements_and_same_output(
    name: str, logging: Server, two: tuple[str, str], tmp_path: Path
) -> None:
    script = SCRIPTS[name]
    printed = by_psql(logging, two[0], script, tmp_path)
    ours = by_us(logging, two[1], script)
    statements = sent(logging, two[0])
    mine = sent(logging, two[1])
    if name in STOPS_EARLIER:
        assert mine == statements[: len(mine)]
        assert comparable(printed)[: len(comparable(ours))] == comparable(ours)
        return
    assert mine == statements
    assert statements or "ERROR:" in ours  # what cannot be parsed is not logged as a statement
    assert comparable(ours) == comparable(printed)


def test_the_hostile_value_dropped_nothing(logging: Server, two: tuple[str, str], tmp_path: Path) -> None:
    script = "CREATE TABLE wishlist_items (a text); INSERT INTO wishlist_items VALUES (:'label');"
    assert HOSTILE in by_us(logging, two[1], script + " TABLE wishlist_items;")
    assert by_us(logging, two[1], "SELECT count(*) FROM wishlist_items").split("\n")[2].strip() == "1"


def test_the_comparison_sees_a_difference(logging: Server, two: tuple[str, str], tmp_path: Path) -> None:
    """Negative control."""
    printed = by_psql(logging, two[0], "SELECT 1 AS a;", tmp_path)
    assert comparable(by_us(logging, two[1], "SELECT 2 AS a;")) != comparable(printed)
    assert sent(logging, two[0]) != sent(logging, two[1])
