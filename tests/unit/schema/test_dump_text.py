"""The one parser of dumps: statements, and the rows between them."""

from __future__ import annotations

from pgrehearse.schema.contents import parse
from pgrehearse.schema.dump import major_of
from pgrehearse.schema.dump_text import split

HEAD = "--\n-- Data for Name: {}; Type: TABLE DATA; Schema: public; Owner: me\n--\n\n"
TABLE = "--\n-- Name: {0}; Type: TABLE; Schema: public; Owner: me\n--\n\nCREATE TABLE {0} ();\n\n\n"


def copied(rows: str) -> str:
    return f"{HEAD.format('t')}COPY public.t (a, b) FROM stdin;\n{rows}\\.\n\n\n{TABLE.format('after')}"


def test_rows_are_no_statements() -> None:
    """Quotes, semicolons and comments of a row would otherwise hide what follows."""
    rows = "it's\t1; DROP TABLE x; --\n-- Name: x; Type: TABLE; Schema: y; Owner: z\t$$\n"
    copy, after = split(copied(rows))
    assert (copy.sql, copy.entry.type) == ("COPY public.t (a, b) FROM stdin", "TABLE DATA")
    assert copy.rows == tuple(rows.rstrip("\n").split("\n"))
    assert (after.sql, after.rows) == ("CREATE TABLE after ()", None)


def test_no_row_and_an_empty_row_are_two_things() -> None:
    assert [next(split(copied(rows))).rows for rows in ("", "\n", "\n\n")] == [(), ("",), ("", "")]


def test_contents_hold_each_row_once_for_each_time_it_is_there() -> None:
    found = parse(TABLE.format("t") + copied("a\t1\na\t1\n"))
    assert dict(found.rows["COPY public.t (a, b) FROM stdin"]) == {"a\t1": 2}
    assert len(found.statements) == 2


def test_statements_of_an_entry_stay_together_and_the_preamble_is_left_out() -> None:
    owner = "ALTER TABLE public.t OWNER TO me;\n\n"
    first = parse("SET lock_timeout = 0;\n\n" + TABLE.format("t") + owner + TABLE.format("u"))
    assert first.differences(parse(TABLE.format("u"))) == [
        "- CREATE TABLE t (); ALTER TABLE public.t OWNER TO me;"
    ]


def test_the_major_of_a_dump() -> None:
    assert major_of("--\n-- Dumped from database version 17.10 (Debian)\n") == 17
    assert major_of("SELECT 1;\n") is None
