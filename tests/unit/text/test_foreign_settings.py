"""What other tools keep beside a file or in its first lines changes what is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.text.layouts import load
from pgrehearse.text.migration_files import Migration, statements

SQL = "UPDATE a SET n = 1;\nALTER TABLE a ADD m int;\n"
BUILD = "CREATE INDEX CONCURRENTLY i ON a (n);\n"
HEAD = "--liquibase formatted sql\n"
FUNCTION = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND;\n$$;\n"


def one(folder: Path, files: dict[str, str | bytes], placeholders: dict[str, str] | None = None) -> Migration:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (found,) = load(folder, placeholders)
    return found


@pytest.mark.parametrize(
    ("files", "transaction"),
    [
        ({"V1__a.sql": SQL}, True),
        ({"V1__a.sql": SQL, "V1__a.sql.conf": "executeInTransaction=false\n"}, False),
        ({"V1__a.sql": SQL, "V1__a.sql.conf": "# executeInTransaction=false\nencoding=UTF-8"}, True),
        ({"V1__a.sql": BUILD}, False),
        ({"V1__a.sql": BUILD, "V1__a.sql.conf": "executeInTransaction = true"}, True),
        ({"1_a/up.sql": SQL}, True),
        ({"1_a/up.sql": SQL, "1_a/metadata.toml": "run_in_transaction = false"}, False),
        ({"1_a/up.sql": BUILD, "1_a/metadata.toml": "run_in_transaction = false"}, False),
        ({"1_a/up.sql": BUILD}, True),
        ({"1_a.sql": SQL, "atlas.sum": ""}, True),
        ({"1_a.sql": f"-- atlas:txmode none\n\n{SQL}", "atlas.sum": ""}, False),
        ({"1_a.sql": f"-- a\n-- atlas:txmode none\r\n\r\n{BUILD}", "atlas.sum": ""}, False),
        ({"1_a.sql": f"{SQL}-- atlas:txmode none\n", "atlas.sum": ""}, True),
        ({"1_a.sql": f"-- atlas:txmode none\n\n{SQL}"}, True),
        ({"1_a.up.sql": f"-- no-transaction\n{SQL}"}, False),
        ({"1_a.up.sql": f"-- a word\n-- no-transaction\n{SQL}"}, True),
    ],
)
def test_whose_transaction(tmp_path: Path, files: dict[str, str | bytes], transaction: bool) -> None:
    assert one(tmp_path, files).up.transaction is transaction


def test_what_stands_beside_a_file_is_a_part_of_it(tmp_path: Path) -> None:
    """What was measured of it is remembered by its digest."""
    files: dict[str, str | bytes] = {"V1__a.sql": "SELECT ${x};\nUPDATE a SET n = 1;\n"}
    first, again = (one(tmp_path, files, {"x": "1"}) for _ in range(2))
    other = one(tmp_path, files, {"x": "2"})
    told = one(tmp_path, {**files, "V1__a.sql.conf": "executeInTransaction=false"}, {"x": "1"})
    assert first.sha256 == again.sha256
    assert len({each.sha256 for each in (first, other, told)}) == 3


@pytest.mark.parametrize("files", [{"1_a/up.sql": BUILD}, {"1_a.sql": BUILD, "atlas.sum": ""}])
def test_a_build_that_the_tool_would_send_in_a_transaction(
    tmp_path: Path, files: dict[str, str | bytes]
) -> None:
    found = one(tmp_path, files)
    with pytest.raises(DocumentError, match="refuses a transaction"):
        statements(found, found.up)


@pytest.mark.parametrize(
    ("name", "text", "joined"),
    [
        ("1_a.up.sql", f"SET lock_timeout = 0;\n{BUILD}", "golang-migrate"),
        ("1_a/migration.sql", f"SET lock_timeout = 0;\n{BUILD}", "Prisma"),
        ("V1__a.sql", f"SET lock_timeout = 0;\n{BUILD}", "Flyway refuses"),
        ("V1__a.sql", BUILD + BUILD.replace("i ON", "j ON"), ""),
        ("1_a.sql", f"-- +goose NO TRANSACTION\n-- +goose Up\nSET lock_timeout = 0;\n{BUILD}", ""),
        ("1_a.sql", f"{HEAD}--changeset a:1 runInTransaction:false\nSET lock_timeout = 0;\n{BUILD}", ""),
    ],
)
def test_two_statements_outside_a_transaction(tmp_path: Path, name: str, text: str, joined: str) -> None:
    found = one(tmp_path, {name: text})
    assert bool(found.joined) == bool(joined)
    assert joined in found.joined


@pytest.mark.parametrize(
    ("files", "line", "said"),
    [
        ({"V1__a.sql": "SELECT 1;\nCREATE SCHEMA ${schema};\n"}, 2, r"\$\{schema\} is not known"),
        ({"1_a.sql": f"{HEAD}--changeset a:1\nCREATE TABLE ${{t}} (n int);"}, 3, r"\$\{t\} is not known"),
        ({"1_a.sql": "-- +goose Up\n-- +goose ENVSUB ON\nDROP TABLE ${T};\n"}, 3, r"\$\{T\} is not known"),
        ({"1_a.sql": f"{HEAD}--changeset a:1 endDelimiter:/\nSELECT 1\n/\n"}, 2, "end with /"),
        ({"1_a.sql": "-- atlas:delimiter \\n\\n\nSELECT 1\n\nSELECT 2", "atlas.sum": ""}, 1, "end with"),
        ({"1_a.sql": f"-- +goose Up\n{FUNCTION}"}, 4, "cuts this one"),
        ({"1_a.sql": f"-- +goose Up\n{FUNCTION}".replace("\n", "\r\n")}, 4, "cuts this one"),
        ({"1_a.sql": "-- +goose Up\nSELECT 1\n-- +goose Down\n"}, 2, "without a semicolon"),
        ({"1_a.sql": "-- +goose Down\nSELECT 2;\n-- +goose Up\nSELECT 1;\n"}, 3, "up part first"),
    ],
)
def test_what_cannot_be_seen_is_said(
    tmp_path: Path, files: dict[str, str | bytes], line: int, said: str
) -> None:
    found = one(tmp_path, files)
    with pytest.raises(DocumentError, match=said) as caught:
        statements(found, found.up)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("name", "text", "sent"),
    [
        ("V1__a.sql", "SELECT '${x}';", "SELECT '7'"),
        ("V1__a.sql", "SELECT 1 -- ${unknown}\n;", "-- ${unknown}"),
        ("1_a.up.sql", "SELECT '${unknown}';", "SELECT '${unknown}'"),
        ("1_a.sql", f"{HEAD}--property name:y value:8\n--changeset a:1\nSELECT ${{y}};", "SELECT 8"),
        ("1_a.sql", f"-- +goose Up\n-- +goose StatementBegin\n{FUNCTION}-- +goose StatementEnd\n", "$$"),
        ("1_a.sql", "-- +goose Up\nSELECT 1; -- why\nSELECT\n  2;\n-- +goose Down\n", "SELECT\n  2"),
        ("V1__a.sql", b"\xef\xbb\xbfSELECT 1;\r\n", "SELECT 1"),
        ("1_a.sql", b"\xef\xbb\xbf" + f"{HEAD}--changeset a:1\nSELECT 1;".encode(), "SELECT 1"),
    ],
)
def test_what_can_be_seen_is_sent(tmp_path: Path, name: str, text: str | bytes, sent: str) -> None:
    found = one(tmp_path, {name: text}, {"x": "7"})
    assert statements(found, found.up)[-1].sql.endswith(sent)


@pytest.mark.parametrize(
    "text", [b"\xef\xbb\xbfSELECT 1;", "SELECT '\u200e';".encode(), b"SELECT '\xe4';", b"SELECT 1;\0"]
)
def test_what_no_one_can_read_is_said_of_that_file(tmp_path: Path, text: bytes) -> None:
    """An old file of others must not stop the judgement of a new one."""
    (tmp_path / "1_a.up.sql").write_bytes(text)
    (tmp_path / "2_b.up.sql").write_text("SELECT 2;")
    bad, good = load(tmp_path)
    assert [each.sql for each in statements(good, good.up)] == ["SELECT 2"]
    with pytest.raises(DocumentError, match=r"U\+|not UTF-8"):
        statements(bad, bad.up)


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("dbms:mysql", 2),
        ("dbms:mysql,h2", 2),
        ('dbms:"!postgresql"', 2),
        ("ignore:true", 2),
        ("dbms:postgresql,h2", 3),
        ('dbms:"postgresql, h2"', 3),
        ("dbms:!mysql", 3),
        ("dbms:all", 3),
    ],
)
def test_changesets_for_other_databases_are_left_out(tmp_path: Path, said: str, sent: int) -> None:
    text = (
        f"{HEAD}--changeset a:1 {said}\nSELECT `1`;\n--changeset a:2\nSELECT 2;\n--changeset a:3\nSELECT 3\n"
    )
    if sent == 3:
        text = text.replace("`", "")
    found = one(tmp_path, {"1_a.sql": text})
    work = [each for each in statements(found, found.up) if each.sql.split("\n")[-1].startswith("SELECT")]
    assert [each.line for each in work] == [3, 5, 7][-sent:]
