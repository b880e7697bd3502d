"""Runbooks as scripts, run by the real psql: they do the work, undo it, and stop where the runbook would."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pgrehearse.errors import DocumentError
from pgrehearse.execution.rehearser import Rehearser, run_cells
from pgrehearse.majors import SUPPORTED
from pgrehearse.servers import Server, libpq_environment
from pgrehearse.servers.binaries import client
from pgrehearse.text.document import Document, load, parse
from pgrehearse.text.project import Project
from pgrehearse.text.psql_script import to_psql
from support import ROOT
from support.waiting import LIMIT

RUNBOOKS = sorted((ROOT / "runbooks").glob("*.md"))


def psql(
    environment: Mapping[str, str], script: Path, *variables: str, options: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    flags = [word for variable in variables for word in ("-v", variable)]
    command = [str(client("psql")), "-X", *options, *flags, "-f", str(script)]
    return subprocess.run(
        command, env=dict(environment), capture_output=True, text=True, timeout=LIMIT, check=False
    )


# --- every runbook of this repository -----------------------------------------------------------


def test_there_are_runbooks() -> None:
    assert len(RUNBOOKS) >= 12


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_every_runbook_does_and_undoes_its_work(
    path: Path, repository: Project, rehearser: Rehearser, server: Server, tmp_path: Path
) -> None:
    document = load(path)
    script = tmp_path / f"{path.stem}.sql"
    script.write_text(to_psql(document, repository.relative(path)), encoding="utf-8")
    values = [f"{name}={value}" for name, value in document.front.examples().items()]
    with rehearser.fresh(document, server.major) as fresh:
        prepare(document, fresh.executor(document))
        environment = libpq_environment(fresh.server.env(fresh.name))
        for more in ([], ["roll_back=1"]):
            done = psql(environment, script, *values, *more)
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr
            assert done.stdout.endswith("done\n")


def prepare(document: Document, executor: object) -> None:
    """Run the cells of the phase Rehearsal: they make the situation the runbook is for."""
    cells = [cell for cell in document.cells if cell.phase == "Rehearsal"]
    with executor as running:  # type: ignore[attr-defined]
        failures = [result.failure for result in run_cells(running, cells, cells) if result.failure]
    assert not failures, failures


# --- small scripts: what must stop, and what must not ---------------------------------------------

HEAD = "---\ntitle: Sample\n{front}---\n\n# Sample\n\n"
PARAMETERS = """\
parameters:
  label: {description: Label, example: "it's"}
  size: {description: Size, example: "2", default: "a\\\\b'c"}
"""


class Script:
    """Scripts of small runbooks on a database of their own."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder = folder
        self.dsn = dsn
        parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
        names = {"dbname": "PGDATABASE"}
        self.environment = libpq_environment(
            {names.get(name, f"PG{name.upper()}"): value for name, value in parts.items()}
        )

    def run(self, apply: str, *variables: str, **other: str) -> subprocess.CompletedProcess[str]:
        """Run a runbook whose Apply phase is ``apply``, Markdown that starts on line 100 or so."""
        script = self.folder / "sample.sql"
        script.write_text(to_psql(document(apply, **other), "sample.md"), encoding="utf-8")
        return psql(self.environment, script, *variables)

    def notes(self) -> list[str]:
        with psycopg.connect(self.dsn) as connection:
            return [str(row[0]) for row in connection.execute("SELECT note FROM trace ORDER BY at")]


def document(
    apply: str,
    *,
    preflight: str = "SELECT 1;",
    verify: str = "SELECT 1;",
    back: str = "SELECT 'back' AS way;",
    front: str = "",
) -> Document:
    parts = {"Preflight": preflight, "Apply": apply, "Verify": verify, "Roll back": back}
    text = HEAD.format(front=front) + "\n".join(
        f"## {phase}\n\n{cells if cells.startswith('```') else f'```sql{chr(10)}{cells}{chr(10)}```'}\n"
        for phase, cells in parts.items()
    )
    return parse(text, Path("sample.md"))


@pytest.fixture
def script(tmp_path: Path, database: str) -> Script:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE trace (at int GENERATED ALWAYS AS IDENTITY, note text)")
    return Script(tmp_path, database)


def cell(source: str, expected: str | None = None, options: str = "") -> str:
    fence = f"```sql{options}\n{source}\n```"
    return fence if expected is None else f"{fence}\n\n```text\n{expected}\n```"


def row(*columns: str) -> str:
    """A table of one row with the columns c0, c1 and so on."""
    names = [f" c{number}".ljust(20) for number in range(len(columns))]
    values = [f" {column}".ljust(20) for column in columns]
    return "\n".join(["|".join(names), "+".join(["-" * 20] * len(columns)), "|".join(values), "(1 row)"])


NOTE = "INSERT INTO trace (note) VALUES ('{}');"


def test_a_missing_parameter_stops(script: Script) -> None:
    done = script.run("INSERT INTO trace (note) VALUES (:'label'), (:'size');", front=PARAMETERS)
    assert done.returncode == 3
    assert "label is not set. Give it: -v label=..." in done.stderr
    assert script.notes() == []


def test_values_are_quoted_and_defaults_used(script: Script) -> None:
    hostile = "x'); DROP TABLE trace;--"
    apply = "INSERT INTO trace (note) VALUES (:'label'), (:'size');"
    done = script.run(apply, f"label={hostile}", front=PARAMETERS)
    assert done.returncode == 0, done.stderr
    assert script.notes() == [hostile, "a\\b'c"]


NAMES = """\
parameters:
  table: {description: T, kind: relation, example: trace}
  columns: {description: C, kind: names, example: note, default: '"note", "At"'}
"""


@pytest.mark.parametrize(
    ("variables", "written"),
    [
        (["table=App.Order"], '"App"."Order" | note, At'),
        (['table="App"."a.b"', 'columns=a"b, "c"'], '"App"."a.b" | a"b, c'),
    ],
)
def test_names_are_read_as_a_run_reads_them(script: Script, variables: list[str], written: str) -> None:
    done = script.run(
        "INSERT INTO trace (note) SELECT :'table' || ' | ' || :'columns';", *variables, front=NAMES
    )
    assert (done.returncode, script.notes()) == (0, [written]), done.stderr


def test_what_is_no_name_stops_before_anything_is_sent(script: Script) -> None:
    done = script.run("INSERT INTO trace (note) SELECT :'table' || :'columns';", "table=a.b.c", front=NAMES)
    assert done.returncode == 3
    assert "stopped: table is no name with or without a schema" in done.stderr
    assert script.notes() == []


@pytest.mark.parametrize(
    ("value", "status", "notes"),
    [(None, 0, ["forward"]), ("0", 0, ["forward"]), ("false", 0, ["forward"]), ("1", 0, ["back"]),
     ("true", 0, ["back"]), ("please", 3, [])],
)  # fmt: skip
def test_only_a_true_roll_back_rolls_back(
    script: Script, value: str | None, status: int, notes: list[str]
) -> None:
    variables = [] if value is None else [f"roll_back={value}"]
    done = script.run(NOTE.format("forward"), *variables, back=NOTE.format("back"))
    assert done.returncode == status, done.stderr
    assert script.notes() == notes


def test_a_comment_at_the_end_of_a_statement_does_not_swallow_the_next(script: Script) -> None:
    done = script.run(
        "INSERT INTO trace (note) VALUES ('one') -- why\n;\n"
        "INSERT INTO trace (note) VALUES ('two') -- no semicolon"
    )
    assert done.returncode == 0, done.stderr
    assert script.notes() == ["one", "two"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("SELECT 1 AS c0, 'x' AS c1;", row("2", "x")),
        ("SELECT 1 AS c0, 'x' AS c1;", row("1", "y")),
        ("SELECT NULL AS c0;", row("x")),
        ("SELECT 'x' AS c0;", row("(null)")),
        ("SELECT 'x' AS c0;", row("X")),
        ("SELECT 'x' AS c0 WHERE false;", row("x")),
        ("SELECT 'x' AS c0 FROM generate_series(1, 2);", row("x")),
        ("SELECT '日本' AS c0, 'x' AS c1;", row("日本", "y")),
        ("SELECT 'x' AS c0;", " c0\n----\n(0 rows)"),
        ("SET work_mem = '5MB';\nSELECT 'x' AS c0;", "SET\n c0\n----\n(0 rows)"),
    ],
)
def test_what_is_not_as_expected_stops_with_file_and_line(script: Script, source: str, expected: str) -> None:
    apply = cell(source, expected) + "\n\n" + cell(NOTE.format("later"))
    done = script.run(apply)
    assert done.returncode == 3, done.stdout
    line = next(c.line for c in document(apply).cells if c.phase == "Apply")
    assert f"Apply 1/2 (sample.md:{line})" in done.stdout
    if "WHERE false" not in source and "generate_series" not in source:  # psql's own \gset refuses these
        assert f"sample.md:{line}: " in done.stderr
    assert script.notes() == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("SELECT 1 AS c0, 'x' AS c1;", row("1", "x")),
        ("SELECT NULL AS c0;", row("(null)")),
        ("SELECT '日本' AS c0, 'x' AS c1;", row("日本", "x")),
        ("SELECT 'it''s \\ :x' AS c0;", row("it's \\ :x")),
        ("SELECT true AS c0;", row("t")),
        ("SELECT 'x' AS c0 WHERE false;", " c0\n----\n(0 rows)"),
        ("SELECT now() AS c0;", row("...")),
        ("SELECT 'one' AS c0 -- why", row("one")),
    ],
)
def test_what_is_as_expected_goes_on(script: Script, source: str, expected: str) -> None:
    done = script.run(cell(source, expected) + "\n\n" + cell(NOTE.format("later")))
    assert done.returncode == 0, done.stderr
    assert script.notes() == ["later"]


@pytest.mark.parametrize(
    ("source", "status"), [("SELECT 1 / 0;", 0), ("SELECT 1;", 3), ("SELECT 'x'::int;", 3)]
)
def test_an_expected_error(script: Script, source: str, status: int) -> None:
    apply = cell(source, options=' expect="22012"') + "\n\n" + cell(NOTE.format("later"))
    done = script.run(apply)
    assert done.returncode == status
    assert ("expected 22012" in done.stderr) == (status == 3)
    assert script.notes() == ([] if status else ["later"])


def test_an_unexpected_error_stops(script: Script) -> None:
    done = script.run("SELECT 1 / 0;\n" + NOTE.format("never"))
    assert done.returncode == 3
    assert script.notes() == []


def test_a_lock_is_not_waited_for_without_end(script: Script) -> None:
    done = script.run("INSERT INTO trace (note) SELECT current_setting('lock_timeout');")
    assert done.returncode == 0, done.stderr
    assert script.notes() == ["2s"]


@pytest.mark.parametrize("limit", ["statement_timeout", "transaction_timeout", "idle_session_timeout"])
def test_a_limit_of_the_role_ends_no_step(script: Script, server: Server, limit: str) -> None:
    """It would end a concurrent build, and leave an INVALID index."""
    if limit == "transaction_timeout" and server.major < 17:
        pytest.skip("a limit that is there from PostgreSQL 17 on")
    script.environment["PGOPTIONS"] = f"-c {limit}=54321"
    done = script.run(f"SHOW {limit};")
    assert done.returncode == 0, done.stderr
    assert "54321" not in done.stdout


def test_gexec_runs_what_the_query_gives(script: Script) -> None:
    query = (
        "SELECT format('INSERT INTO trace (note) VALUES (%L)', n) FROM generate_series(1, 2) AS n\n\\gexec"
    )
    done = script.run(query)
    assert done.returncode == 0, done.stderr
    assert script.notes() == ["1", "2"]


def test_cells_of_other_majors_are_left_out(script: Script, server: Server) -> None:
    here = server.major
    options = [("needs", here), ("needs", here + 1), ("until", here), ("until", here - 1)]
    apply = "\n\n".join(
        cell(NOTE.format(name), options=f' {name}="{major}"') for name, major in options if major in SUPPORTED
    )
    done = script.run(apply)
    assert done.returncode == 0, done.stderr
    assert script.notes() == ["needs", "until"]


@pytest.mark.parametrize(("first", "later", "good"), [("2", "1", True), ("1", "2", False)])
def test_the_output_of_this_server_is_the_one_that_is_checked(
    script: Script, server: Server, first: str, later: str, good: bool
) -> None:
    note, after = NOTE.format("before"), NOTE.format("after")
    table = "```text{}\n n\n---\n {}\n(1 row)\n```\n"
    title = f' title="PostgreSQL {server.major} and later"'
    outputs = table.format("", first) + "\n" + table.format(title, later)
    done = script.run(f"{cell(note)}\n\n{cell('SELECT 1 AS n;')}\n\n{outputs}\n\n{cell(after)}")
    assert (done.returncode == 0) is good, done.stderr
    assert script.notes() == (["before", "after"] if good else ["before"])


def test_line_breaks_in_front_matter_stay_inside_comments(script: Script) -> None:
    front = (
        "description: x\nparameters:\n"
        '  label: {description: "two\\nlines", example: "a\\nDROP TABLE trace;", default: "b\\nc"}\n'
    )
    done = script.run("INSERT INTO trace (note) VALUES (:'label');", front=front)
    assert done.returncode == 0, done.stderr
    assert script.notes() == ["b\nc"]


# --- Preflight and Verify only look ------------------------------------------------------------------


@pytest.mark.parametrize(
    "check",
    [
        "INSERT INTO trace (note) VALUES ('x');",
        "SELECT nextval(pg_get_serial_sequence('trace', 'at'));",
        "DO $$BEGIN INSERT INTO trace (note) VALUES ('x'); END$$;",
        "SET default_transaction_read_only = off;\nINSERT INTO trace (note) VALUES ('x');",
        "SELECT 'INSERT INTO trace (note) VALUES (''x'')'\n\\gexec",
        "CREATE TEMP TABLE t AS WITH w AS (SELECT 1) SELECT pg_temp.f();",
    ],
)
def test_a_check_that_writes_stops_the_script(script: Script, check: str) -> None:
    function = (
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS"
        " 'INSERT INTO public.trace (note) VALUES (''x'') RETURNING 1';\n"
    )
    for place in ("preflight", "verify"):
        done = script.run(NOTE.format("apply"), **{place: function + check})
        assert done.returncode == 3, done.stdout
        assert "read-only transaction" in done.stderr or "may change temporary objects only" in done.stderr
    assert script.notes() == ["apply"]


def test_a_check_that_ends_its_transaction_stops_the_script(script: Script) -> None:
    done = script.run(NOTE.format("apply"), preflight="VALUES ('COMMIT')\n\\gexec")
    assert done.returncode == 3
    assert "sample.md:9: the transaction of this check was ended" in done.stderr
    assert script.notes() == []
    with pytest.raises(DocumentError, match="must not begin or end one"):
        to_psql(document("SELECT 1;", preflight="COMMIT;"), "sample.md")


def test_what_a_check_needs_of_its_own(script: Script) -> None:
    own = "CREATE TEMP TABLE t (n int);\nINSERT INTO t VALUES (7);\nDROP TABLE IF EXISTS pg_temp.u;"
    table = "```text\n n\n---\n 7\n(1 row)\n```"
    done = script.run(
        NOTE.format("apply"), preflight=f"```sql\n{own}\n```\n\n```sql\nSELECT n FROM t;\n```\n\n{table}"
    )
    assert done.returncode == 0, done.stderr
    assert "BEGIN" not in done.stdout and "COMMIT" not in done.stdout
    assert "INSERT 0 1" in done.stdout, "what the runbook does is told as before"


def test_a_script_inside_a_transaction_stops(script: Script) -> None:
    (script.folder / "sample.sql").write_text(to_psql(document(NOTE.format("x")), "sample.md"), "utf-8")
    done = psql(script.environment, script.folder / "sample.sql", options=("-1",))
    assert done.returncode == 3
    assert "run the script without -1" in done.stderr
    assert script.notes() == []


def test_a_script_of_a_role_that_only_reads_stops(script: Script) -> None:
    (script.folder / "sample.sql").write_text(to_psql(document(NOTE.format("x")), "sample.md"), "utf-8")
    for value, status in (("on", 3), ("off", 0)):
        options = {"PGOPTIONS": f"-c default_transaction_read_only={value}"}
        done = psql({**script.environment, **options}, script.folder / "sample.sql")
        assert done.returncode == status, done.stderr
        assert ("default_transaction_read_only=off" in done.stderr) is (value == "on")
    assert script.notes() == ["x"]
