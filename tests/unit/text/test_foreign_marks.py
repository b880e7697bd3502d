"""The up parts of other tools' migrations."""

from __future__ import annotations

import pytest

from pgrehearse.text.foreign_marks import up_part

GOOSE = "-- +goose Up\nA;\n-- +goose Down\nB;\n"
FILES = {
    "goose": (GOOSE, 2, True),
    "goose, alone": ("-- +goose NO TRANSACTION\n" + GOOSE, 3, False),
    "goose, CRLF": (GOOSE.replace("\n", "\r\n"), 2, True),
    "sql-migrate": ("-- +migrate Up\nA;\n-- +migrate Down\nB;\n", 2, True),
    "sql-migrate, alone": ("-- +migrate Up notransaction\nA;\n\n-- +migrate Down\nB;\n", 2, False),
    "node-pg-migrate": ("-- Up Migration\nA;\n\n-- Down Migration\nB;\n", 2, True),
    "tern": ("A;\n---- create above / drop below ----\nB;\n", 1, True),
    "tern, alone": ("---- tern: disable-tx ----\nA;\n---- create above / drop below ----\nB;\n", 1, False),
    "no down part": ("-- +goose Up\nA;\n", 2, True),
}


@pytest.mark.parametrize(("text", "line", "transaction"), FILES.values(), ids=FILES.keys())
def test_the_up_part(text: str, line: int, transaction: bool) -> None:
    part = up_part(text)
    assert part is not None
    assert ("A;" in part.sql, "B;" in part.sql) == (True, False)
    assert (part.line, part.transaction) == (line, transaction)


@pytest.mark.parametrize("text", ["A;\n", "-- going up\nA;\n-- +goose\n", "SELECT '-- +goose Up';\n"])
def test_other_files_have_none(text: str) -> None:
    assert up_part(text) is None
