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


def test_a_receipt_is_known_by_whose_it_is_and_not_by_its_numbers() -> None:
    made = (
        "--\n-- Name: 5..7; Type: BLOB METADATA; Schema: -; Owner: me\n--\n\n"
        "SELECT pg_catalog.lo_create('5');\nSELECT pg_catalog.lo_create('{0}');\n\n"
        "ALTER LARGE OBJECT 5 OWNER TO me;\nALTER LARGE OBJECT {0} OWNER TO me;\n\n"
        "--\n-- Name: LARGE OBJECT {0}; Type: COMMENT; Schema: -; Owner: me\n--\n\n"
        'COMMENT ON LARGE OBJECT {0} IS \'pgrehearse receipt {{"of": "a", "what": "w", "number": {0}}}\';\n\n'
        "--\n-- Data for Name: 5..7; Type: BLOBS; Schema: -; Owner: me\n--\n\n"
        "BEGIN;\n\nSELECT pg_catalog.lo_open('{0}', 131072);\nSELECT pg_catalog.lo_close(0);\n\nCOMMIT;\n\n"
    )
    one, other = parse(made.format(6)), parse(made.format(7))
    assert one.differences(other) == []
    assert parse("").differences(one) == [
        "+ SELECT pg_catalog.lo_create('5'); ALTER LARGE OBJECT 5 OWNER TO me;",
        "+ receipt of w on a",
    ]
