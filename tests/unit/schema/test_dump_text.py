"""Dumps taken apart: nothing is lost, and nothing that only looks like an end is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.schema.dump_text import DumpEntry, closing, commas, split

#: Pieces of what pg_dump writes; each hides the signs that separate statements and list items.
HIDING = [
    "'a;b'", "'it''s, (here'", "''", "E'\\\\'", '"a;b"', '"a""b, ("', "$$x;y'$$", "$tag$ $$ ; , ( $tag$",
    "(1, (2; 3))",
]  # fmt: skip
PLAIN = ["SELECT 1", "a", "x$1", "public.t", "1.5", "é", "::text", " = "]
pieces = st.lists(st.sampled_from([*HIDING, *PLAIN]), min_size=1, max_size=6).map(" ".join)


@given(st.lists(pieces, max_size=5))
def test_what_was_joined_comes_apart(statements: list[str]) -> None:
    text = "".join(f"{statement};\n" for statement in statements)
    assert [raw.sql for raw in split(text)] == [statement.strip() for statement in statements]


@given(st.lists(pieces, max_size=5))
def test_lists_come_apart_at_their_own_commas(items: list[str]) -> None:
    assert commas(", ".join(items)) == [item.strip() for item in items] if items else [""]


@given(pieces, st.text(max_size=10))
def test_a_parenthesis_is_closed_by_its_own(inner: str, rest: str) -> None:
    text = f"x ({inner}){rest}"
    assert closing(text, 2) == len(inner) + 3


def test_an_unclosed_parenthesis_ends_with_the_text() -> None:
    assert closing("(a, 'b)'", 0) == len("(a, 'b)'")


def test_rows_of_a_copy_belong_to_it() -> None:
    text = (
        'COPY public.t (a, b) FROM stdin;\n1\tit\'s; a "row"\n\\\\.\t$$\n\\.\n\n\n'
        "COPY public.empty (a) FROM stdin;\n\\.\n\nSELECT 1;\n"
    )
    first, second, third = split(text)
    assert (first.sql, first.rows) == (
        "COPY public.t (a, b) FROM stdin",
        ('1\tit\'s; a "row"', "\\\\.\t$$"),
    )
    assert (second.sql, second.rows) == ("COPY public.empty (a) FROM stdin", ())
    assert (third.sql, third.rows) == ("SELECT 1", None)


def test_a_body_written_in_sql_ends_with_its_own_end() -> None:
    body = (
        "CREATE FUNCTION f(x integer) RETURNS integer LANGUAGE sql\n BEGIN ATOMIC\n"
        " SELECT CASE WHEN (x > 0) THEN 1 ELSE CASE x WHEN 0 THEN 2 END END;\n SELECT 3;\nEND"
    )
    assert [raw.sql for raw in split(f"{body};\nSELECT 2;\n")] == [body, "SELECT 2"]


@pytest.mark.parametrize(
    ("header", "entry"),
    [
        (
            "-- Name: t; Type: TABLE; Schema: public; Owner: o",
            DumpEntry("t", "TABLE", "public"),
        ),
        (
            "-- Name: a; Type: x; b; Type: INDEX; Schema: -; Owner: -; Tablespace: fast disk",
            DumpEntry("a; Type: x; b", "INDEX", "-", "fast disk"),
        ),
        (
            "-- Data for Name: t; Type: TABLE DATA; Schema: s; Owner: it's me",
            DumpEntry("t", "TABLE DATA", "s"),
        ),
        ("-- Name: no header at all", DumpEntry()),
    ],
)
def test_the_entry_of_a_statement(header: str, entry: DumpEntry) -> None:
    (raw,) = split(f"--\n{header}\n--\n\nCREATE THING;\n")
    assert (raw.entry, raw.sql) == (entry, "CREATE THING")


def test_commands_of_psql_and_comments_are_no_statements() -> None:
    header = "-- Name: x; Type: TABLE; Schema: public; Owner: o"
    text = f"\\restrict abc\n-- a; b\nSELECT 1; {header}\n\\unrestrict abc\n"
    assert [raw.sql for raw in split(text)] == ["SELECT 1"]


def test_a_comment_inside_a_statement_stays_in_it() -> None:
    text = "CREATE VIEW v AS\n-- Name: x; Type: TABLE; Schema: public; Owner: o\nSELECT 1;\n"
    (raw,) = split(text)
    assert (raw.entry, raw.sql.count("-- Name")) == (DumpEntry(), 1)
