"""Two states of a database as text."""

from __future__ import annotations

from pgrehearse.schema.contents import parse


def test_a_dump_is_compared_without_order() -> None:
    entry = "--\n-- Name: {0}; Type: TABLE; Schema: public; Owner: me\n--\n\nCREATE TABLE {0} ();\n\n"
    data = (
        "--\n-- Data for Name: a; Type: TABLE DATA; Schema: public; Owner: me\n--\n\n"
        "COPY public.a (n) FROM stdin;\n{}\n{}\n\\.\n\n"
    )
    first = parse(entry.format("a") + entry.format("b") + data.format(1, 2))
    assert first.differences(parse(entry.format("b") + entry.format("a") + data.format(2, 1))) == []
    assert first.differences(parse(entry.format("a") + data.format(2, 2))) == [
        "- CREATE TABLE b ();",
        "~ public.a: 1 rows less, 1 rows more, such as 2",
    ]
