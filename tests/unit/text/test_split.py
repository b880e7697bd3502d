"""Statements are split where psql splits them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgrehearse.text import split as scanner
from pgrehearse.text.split import SplitError, split, tokens

#: One statement each, without its semicolon; every one holds something that could end it early.
STATEMENTS = [
    "SELECT 1",
    "SELECT 'a;b', 'it''s; ''', E'\\';', E'\\\\', U&'\\0061;', N';'",
    'SELECT 1 AS ";""" ',
    "SELECT $$;$$, $a$;$$;$a$, $A$ $a$ ; $A$",
    "SELECT $é$;$é$, $_1$;$_1$",
    "SELECT a$b$c, d$$ FROM f$$g",
    "SELECT 1 /* ; /* ; */ ; */ + 2",
    "SELECT 1 -- ; ' \" $$ /*\n + 2",
    "SELECT '{1,2}'::int[], x[1:2], x[:n], y:=1, z::\"char\"",
    "INSERT INTO t VALUES (1, (SELECT 2; SELECT 3), ')')",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
    "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC\n SELECT CASE WHEN a THEN 1 END; SELECT CASE x WHEN 1 THEN"
    " CASE WHEN b THEN 2 END END; END",
    "create function g() returns int begin atomic return (1); end",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN; RETURN 1; END; $$",
    "DO $do$ BEGIN RAISE NOTICE '%; $$', 1; END $do$",
    "SELECT E'a'\n' ; b\\' ",
    "SELECT CASE WHEN true THEN 1 END",
    "SELECT E'a''\\'; b', 'c''\\', ';'",
    "SELECT 0x1F, 1_000, 1e5, .5, 1.",
    'SELECT é, "ü;", 日本$',
    "SELECT a->>'b;', a #> '{x}', a @? '$.b', a <-> b",
    "SELECT $1, $2$",
]


@given(st.text())
def test_tokens_joined_are_the_text(text: str) -> None:
    try:
        found = list(tokens(text))
    except SplitError as error:
        assert error.message.startswith("unterminated")
        assert 1 <= error.line <= text.count("\n") + 1
        return
    assert "".join(token.text for token in found) == text
    assert [token.offset for token in found] == [
        sum(len(token.text) for token in found[:i]) for i in range(len(found))
    ]


ALPHABET = st.sampled_from([*"aeE'\"$\\;:()-*/ \n\t1_é\u00a0", "/*", "*/", "--", "$$", "$a$", "begin", "end"])


@given(st.lists(ALPHABET, max_size=14).map("".join))
def test_splitting_loses_no_token(text: str) -> None:
    try:
        found = split(text)
    except SplitError:
        return
    kept = [t.text for s in found for t in tokens(s.sql) if t.kind not in ("space", "comment", "semicolon")]
    assert kept == [
        t.text for t in tokens(text) if t.kind not in ("space", "comment", "semicolon", "command")
    ]


@given(
    st.lists(st.sampled_from(STATEMENTS), max_size=6),
    st.sampled_from([";", ";\n", "; -- c\n", ";\n\n/* c */;"]),
)
def test_known_statements_come_back(statements: list[str], between: str) -> None:
    text = between.join(statements)
    found = split(text)
    assert [s.sql for s in found] == [s.rstrip() for s in statements]
    for statement in found:
        assert "\n".join(text.split("\n")[statement.line - 1 :]).find(statement.sql) >= 0


@pytest.mark.parametrize("statement", STATEMENTS)
def test_one_statement_is_one(statement: str) -> None:
    assert len(split(statement + ";")) == 1
    assert [s.sql for s in split(f"SELECT 0;{statement};SELECT 2")] == [
        "SELECT 0",
        statement.rstrip(),
        "SELECT 2",
    ]


def test_lines_and_last_statement_without_semicolon() -> None:
    found = split("\n-- first\nSELECT 1;\n\n  SELECT\n 2  ;;\n ; /* hint\n */ SELECT 3 -- end")
    assert [(s.sql, s.line) for s in found] == [
        ("SELECT 1", 3),
        ("SELECT\n 2", 5),
        ("/* hint\n */ SELECT 3 -- end", 7),
    ]


@pytest.mark.parametrize("text", ["", " \n\t", ";", ";;\n;", "-- only\n", "/* only */", "/* a */;-- b"])
def test_nothing_to_send(text: str) -> None:
    assert split(text) == []


def test_a_no_break_space_is_sent_as_it_stands() -> None:
    """psql sends it and the server refuses it; dropping it would make the cell pass."""
    assert split("SELECT 1\u00a0;")[0].sql == "SELECT 1\u00a0"


def test_gexec() -> None:
    found = split("SELECT 1;\nSELECT 'SELECT 2'\n\\gexec\nSELECT format('x') \\gexec  \nSELECT 3")
    assert [(s.sql, s.line, s.gexec) for s in found] == [
        ("SELECT 1", 1, False),
        ("SELECT 'SELECT 2'", 2, True),
        ("SELECT format('x')", 4, True),
        ("SELECT 3", 5, False),
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("SELECT 1;\n\\d t", 2, r"psql command \d is not SQL"),
        ("SELECT 1\n\\g", 2, r"psql command \g is not SQL"),
        ("\\", 1, "psql command \\ is not SQL"),
        ("\\gexec", 1, r"\gexec has no query before it"),
        ("SELECT 1;\n\n\\gexec", 3, r"\gexec has no query before it"),
        ("SELECT 1 \\gexec x", 1, r"psql command \gexec is not SQL"),
        ("SELECT 1 \\; SELECT 2", 1, r"psql command \; is not SQL"),
        ("\nSELECT 'a", 2, "unterminated quote '"),
        ('SELECT "a', 1, 'unterminated quote "'),
        ("SELECT E'\\'", 1, "unterminated quote '"),
        ("SELECT 1\n/* /* */", 2, "unterminated comment /*"),
        ("\n\nSELECT $a$ $b$", 3, "unterminated dollar quote $a$"),
        ("COPY t FROM stdin", 1, "COPY through the client is no single statement"),
        ("/* c */ copy (select 1)\n TO\n STDOUT", 1, "COPY through the client is no single statement"),
    ],
)
def test_refused(text: str, line: int, message: str) -> None:
    with pytest.raises(SplitError) as caught:
        split(text)
    assert (caught.value.message, caught.value.line) == (message, line)
    assert caught.value.fix


def test_copy_with_a_file_is_a_statement() -> None:
    assert len(split("COPY t FROM '/from stdin'; COPY t TO '/x' -- to stdout")) == 2


def seconds(before: int) -> float:
    """Processor time to split 2000 statements after ``before`` line feeds."""
    text = "SELECT '" + "\n" * before + "';" + "SELECT 1;" * 2000
    begun = time.process_time()
    assert len(split(text)) == 2001
    return time.process_time() - begun


def test_a_statement_costs_the_same_wherever_it_stands() -> None:
    """Each statement looked at all text before it, once. Others compute here, too: the best of three."""
    assert min(seconds(3_000_000) / seconds(1_000) for _ in range(3)) < 5


def test_tokens_of_a_long_text_are_not_kept() -> None:
    short, long = "SELECT 'kept';\n", "SELECT 'made anew';\n" * 1000
    before = scanner._few.cache_info().misses
    assert [statement._tokens != () for statement in split(short)] == [True]
    assert not any(statement._tokens for statement in split(long))
    assert scanner._few.cache_info().misses == before + 1


@given(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=4))
def test_the_tokens_of_a_statement_are_those_of_its_text(statements: list[str]) -> None:
    for statement in split("/* hint */ " + ";\n".join(statements) + " ;"):
        alone = [(token.kind, token.text) for token in tokens(statement.sql)]
        assert [(token.kind, token.text) for token in statement.tokens] == alone


def test_without_heading() -> None:
    [statement] = split("\n/* why\n */ -- and\n SELECT 1")
    bare = statement.without_heading()
    assert (statement.line, bare.sql, bare.line) == (2, "SELECT 1", 4)
    assert [token.text for token in bare.tokens] == ["SELECT", " ", "1"]


def test_a_carriage_return_ends_a_comment_as_it_does_for_psql_and_the_server() -> None:
    text = "-- a\rSELECT 1;\r\n-- b\r\nSELECT 2;"
    assert [statement.sql for statement in split(text)] == ["SELECT 1", "SELECT 2"]


#: What may stand anywhere, and what takes the end of a statement away from where it seems to be.
_PIECES = st.sampled_from(
    [
        *(
            "INSERT INTO t VALUES (1, 'a');",
            "select",
            "create index",
            "create",
            "function",
            "or replace",
            "copy",
        ),
        *(
            "insert",
            "from stdin",
            "begin atomic",
            "case",
            "end",
            "'",
            "''",
            '"',
            "e'",
            "E'\\",
            "\\",
            "$$",
            "$a$",
        ),
        *(
            "$1",
            "a$",
            "--",
            "-",
            "/*",
            "*/",
            "/",
            "(",
            ")",
            ";",
            ":",
            ":'a'",
            "::",
            "\n",
            "\r",
            " ",
            "\v",
            "é",
            "\u00a0",
        ),
        *("\\gexec", "U&'", "type'", "1e", "_", "0", ",", ";\n", "[", "'it''s; '", "update t set a = ')' ;"),
    ]
)


@given(st.lists(_PIECES, max_size=30), st.booleans())
@settings(max_examples=400)
def test_a_long_text_is_split_as_a_short_one(pieces: list[str], spaced: bool) -> None:
    text = (" " if spaced else "").join(pieces)
    found: list[object] = []
    for kept in (0, len(text)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scanner, "_KEPT", kept)
            try:
                found.append([(one.sql, one.line, one.gexec) for one in split(text)])
            except SplitError:  # of two problems either is named
                found.append("refused")
    assert found[0] == found[1]


@pytest.mark.parametrize("command", ["\\restrict abc", "\\unrestrict abc"])
def test_what_pg_dump_writes_for_psql_is_to_be_deleted(command: str) -> None:
    with pytest.raises(SplitError) as caught:
        split(f"{command}\nSELECT 1;")
    assert caught.value.fix.startswith("delete this line")
