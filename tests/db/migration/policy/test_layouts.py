"""``db lint`` on folders of other tools: measured, with the user's own file in each finding."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.migration.policy.all_checks import check
from pgrehearse.migration.policy.register import CHECKS
from pgrehearse.migration.policy.report import PolicyRequest
from pgrehearse.servers import Server
from support.projects import project_at

CASES = Path(__file__).parent / "cases"
BASE = "BEGIN;\nCREATE TABLE crate (id int PRIMARY KEY, n int);\nCOMMIT;\n"
REWRITES = "SET LOCAL lock_timeout = '2s';\nALTER TABLE crate ALTER n TYPE bigint;\n"
BEGIN = "BEGIN;\nSET LOCAL lock_timeout = '2s';\n"
LAYOUTS = {
    "golang-migrate": ("2_b.up.sql", {"1_a.up.sql": BASE, "1_a.down.sql": "DROP TABLE crate;\n"}),
    "prisma": ("2_b/migration.sql", {"1_a/migration.sql": BASE}),
    "flyway": ("V2__b.sql", {"V1__a.sql": BASE, "R__again.sql": "SELECT no_such_function();\n"}),
    "flyway, below folders": (
        "2026/V2__b.sql",
        {"all/V1__a.sql": BASE, "all/U1__a.sql": "DROP TABLE crate;\n"},
    ),
    "flyway, a byte order mark": ("V2__b.sql", {"V1__a.sql": f"\ufeff{BASE}"}),
    "flyway, a baseline": ("V11__b.sql", {"B10__a.sql": BASE, "B9__a.sql": "SELECT no_such_function();\n"}),
    "atlas": ("2.sql", {"1_a.sql": BASE, "atlas.sum": "h1:"}),
    "diesel": ("2_b/up.sql", {"1_a/up.sql": BASE, "1_a/down.sql": "DROP TABLE crate;\n"}),
}
UNJUDGED = {"flyway": "R__again.sql", "flyway, a baseline": "B9__a.sql"}
CHANGESETS = """--liquibase formatted sql
--property name:table value:crate
--changeset shop:1 dbms:mysql
ALTER TABLE `crate` ADD n int ENGINE=InnoDB;
--changeset shop:2
SET LOCAL lock_timeout = '2s';
ALTER TABLE ${table} ALTER ${column} TYPE bigint;
"""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_rewrite_is_found(server: Server, tmp_path: Path, layout: str) -> None:
    name, earlier = LAYOUTS[layout]
    files = {f"db/migrations/{one}": text for one, text in {**earlier, name: REWRITES}.items()}
    report = check(project_at(tmp_path, files), PolicyRequest(frozenset({name}), rows=50), lambda: server)
    assert report.checked == [name]
    (found,) = [one for one in report.problems if one.check == "rewrite"]
    assert (found.path, found.line) == (tmp_path / "db" / "migrations" / name, 2)
    assert not [one for one in report.problems if one.check in ("runnable", "judged", "down")]
    unjudged = [note for note in report.notes if note.startswith("not judged")]
    assert [UNJUDGED.get(layout, "") in note for note in unjudged] == [True] * (layout in UNJUDGED)


def test_changesets_with_words_to_be_filled_in(server: Server, tmp_path: Path) -> None:
    """What is for another database is not sent; what is not known is said, and nothing is called well."""
    files = {"db/migrations/1_a.sql": BASE, "db/migrations/2_b.sql": CHANGESETS}
    request = PolicyRequest(frozenset({"2_b.sql"}), rows=50)
    report = check(project_at(tmp_path, files), request, lambda: server)
    assert [(one.check, one.line) for one in report.problems] == [("runnable", 7)]
    assert "${column} is not known" in report.problems[0].message
    told = ("rewrite", "runnable", "judged")
    files["pyproject.toml"] = '[tool.pgrehearse.placeholders]\ncolumn = "n"\n'
    report = check(project_at(tmp_path, files), request, lambda: server)
    assert [(one.check, one.line) for one in report.problems if one.check in told] == [("rewrite", 7)]


def test_outside_its_transaction_a_lock_is_not_held(server: Server, tmp_path: Path) -> None:
    """The file beside Flyway's script decides whether a statement that follows keeps the lock."""
    held = "SET LOCAL lock_timeout = '2s';\nALTER TABLE crate ADD m int;\nUPDATE crate SET n = 1;\n"
    files = {"db/migrations/V1__a.sql": BASE, "db/migrations/V2__b.sql": held}
    request = PolicyRequest(frozenset({"V2__b.sql"}), rows=50)
    inside = check(project_at(tmp_path, files), request, lambda: server)
    files["db/migrations/V2__b.sql.conf"] = "executeInTransaction=false\n"
    outside = check(project_at(tmp_path, files), request, lambda: server)
    said = [{one.check for one in report.problems} for report in (inside, outside)]
    assert said[0] != said[1], said


def test_the_ledger_of_another_tool_is_not_taken_for_ours(database: str, tmp_path: Path) -> None:
    """golang-migrate's table has the name of dbmate's, and one row: the others would be pending or gone."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty bool NOT NULL)")
        connection.execute("INSERT INTO schema_migrations VALUES (10, false)")
    files = {f"db/migrations/{name}.up.sql": BASE for name in ("2_a", "10_b")}
    report = check(project_at(tmp_path, files), PolicyRequest(conninfo=database), None)
    assert [one for one in report.problems if one.check == "applied"] == []
    assert "another tool is not read" in report.not_run["applied"]
    assert report.checked == ["2_a.up.sql", "10_b.up.sql"]


def test_advice_is_what_the_tool_can_do(server: Server, tmp_path: Path) -> None:
    """`transaction:false` is a word of dbmate's, and no other tool removes the remains of a build."""
    build = "SET LOCAL lock_timeout = '2s';\nCREATE INDEX i ON crate (n);\n"
    again = (
        "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY IF NOT EXISTS j ON crate (n);\n"
    )
    files = {"1_a.up.sql": BASE, "2_b.up.sql": build, "3_c.sql": again}
    project = project_at(tmp_path, {f"db/migrations/{name}": text for name, text in files.items()})
    report = check(project, PolicyRequest(frozenset({"2_b.up.sql", "3_c.sql"}), rows=50), lambda: server)
    advice = {one.check: one.next_step for one in report.problems}
    assert "which your tool sends without a transaction" in advice["index-build"]
    assert "drop what a failed build left" in advice["build-retry"]
    assert not [said for said in advice.values() if "transaction:false" in said or "db up" in said]


#: It needs git or a ledger, down parts are not read, and goose sends each statement by itself.
NOT_OF_GOOSE = ("applied", "down", "one-statement")
MARKS = re.compile(r"transaction:false|\bmigrate:|pgrehearse db|dbmate|not restored")


@pytest.mark.parametrize("name", [name for name in CHECKS if name not in NOT_OF_GOOSE])
def test_no_advice_names_marks_of_ours(server: Server, tmp_path: Path, name: str) -> None:
    """What each check refuses of our files it refuses of a folder of goose, and tells what goose can do."""
    start = (CASES.parent / "start" / "0001_start.sql").read_text("utf-8")
    case = next(case for case in sorted(CASES.iterdir()) if marks(case / "red", name))
    files = {"0001_start.sql": start} | {
        file.name: file.read_text("utf-8") for file in (case / "red").glob("*.sql")
    }
    theirs = {f"db/migrations/{label}": in_goose(text) for label, text in files.items()}
    seed = (CASES.parent / "start" / "seed.sql").read_text("utf-8")
    project = project_at(tmp_path, theirs | {"db/seed.sql": seed})
    report = check(project, PolicyRequest(frozenset(files) - {"0001_start.sql"}, rows=200), lambda: server)
    assert name in [one.check for one in report.problems]
    texts = [one.text(lambda path: path.name).replace(one.statement, "") for one in report.problems]
    assert [text for text in texts if MARKS.search(text)] == []


def marks(folder: Path, name: str) -> bool:
    return any(re.search(rf"-- red: .*\b{name}\b", file.read_text("utf-8")) for file in folder.glob("*.sql"))


def in_goose(text: str) -> str:
    """A file of ours as goose has it."""
    up = re.sub(r"^-- migrate:down.*", "", text, flags=re.M | re.S)
    up = re.sub(r"^-- migrate:up(.*)$", r"-- +goose Up", up, flags=re.M)
    return "-- +goose NO TRANSACTION\n" * ("transaction:false" in text.split("\n", 1)[0]) + up


def test_an_empty_folder_is_not_one_without_problems(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="nothing was read"):
        check(project_at(tmp_path, {"db/migrations/README.md": "x"}), PolicyRequest(), lambda: server)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (
            f"{BEGIN}ALTER TABLE crate VALIDATE CONSTRAINT positive;\nCOMMIT;\n",
            [],
        ),
        (
            f"{BEGIN}ALTER TABLE crate ALTER n TYPE bigint;\nCOMMIT;\n",
            ["rewrite"],
        ),
    ],
)
def test_transactions_one_after_the_other(
    server: Server, tmp_path: Path, last: str, expected: list[str]
) -> None:
    first = f"{BEGIN}ALTER TABLE crate ADD CONSTRAINT positive CHECK (n > 0) NOT VALID;\nCOMMIT;\n"
    files = {"db/migrations/1_a.up.sql": BASE, "db/migrations/2_b.up.sql": first + last}
    report = check(
        project_at(tmp_path, files), PolicyRequest(frozenset({"2_b.up.sql"}), rows=50), lambda: server
    )
    told = ("rewrite", "scan", "runnable", "judged", "one-statement", "lock-timeout")
    assert [one.check for one in report.problems if one.check in told] == expected
