"""What the two forms of a mark say together, and the statements that write them."""

from __future__ import annotations

import pytest

from pgrehearse.environments.marks import Mark, comment_statement, set_statement
from pgrehearse.errors import SetupError

IN_COMMENT = "[pgrehearse.environment={}]"
STAGING, PRODUCTION = IN_COMMENT.format("staging"), IN_COMMENT.format("production")


@pytest.mark.parametrize(
    ("setting", "comment", "environment", "source"),
    [
        (None, "", None, ""),
        (None, "Orders and wishes.", None, ""),
        ("staging", "", "staging", "the setting"),
        ("staging", "Orders.", "staging", "the setting"),
        (None, STAGING, "staging", "the comment"),
        (None, f"Orders. {STAGING}", "staging", "the comment"),
        (None, f"Orders.\n{STAGING}", "staging", "the comment"),
        ("staging", f"Orders. {STAGING}", "staging", "the setting and the comment"),
        ("prod", "", "prod", "the setting"),
        (None, IN_COMMENT.format("prod"), "prod", "the comment"),
        ("", "", "", "the setting"),
        # Close to a mark, and none.
        (None, "pgrehearse.environment=staging", None, ""),
        (None, "[pgrehearse.environment: staging]", None, ""),
        (None, "[environment=staging]", None, ""),
        (None, "[PGREHEARSE.ENVIRONMENT=staging]", None, ""),
        (None, "[pgrehearse environment=staging]", None, ""),
    ],
)
def test_what_is_said(setting: str | None, comment: str, environment: str | None, source: str) -> None:
    mark = Mark("shop", setting, comment)
    assert mark.environment() == environment
    assert mark.source == source


@pytest.mark.parametrize(
    ("setting", "comment", "message"),
    [
        ("staging", PRODUCTION, "'shop' is 'staging' by its setting and 'production' by its comment"),
        ("production", f"Orders. {STAGING}", "'production' by its setting and 'staging' by its comment"),
        ("", STAGING, "'' by its setting and 'staging' by its comment"),
        (None, f"{STAGING} {PRODUCTION}", "more than once, or not at its end"),
        (None, f"{STAGING} {STAGING}", "more than once, or not at its end"),
        (None, f"{STAGING} Ask Ann.", "more than once, or not at its end"),
        (None, f"{STAGING}\n", "more than once, or not at its end"),
        ("staging", f"See {STAGING} there", "more than once, or not at its end"),
    ],
)
def test_what_contradicts_itself_is_refused(setting: str | None, comment: str, message: str) -> None:
    with pytest.raises(SetupError, match=message) as caught:
        Mark("shop", setting, comment).environment()
    assert "pgrehearse environment set NAME" in str(caught.value.next_step)


@pytest.mark.parametrize(
    ("setting", "comment", "strongest"),
    [
        (None, "", None),
        ("", "", None),
        ("staging", PRODUCTION, "production"),
        ("production", STAGING, "production"),
        (None, f"{PRODUCTION} {STAGING}", "production"),
        ("production", IN_COMMENT.format("prod"), "prod"),
    ],
)
def test_the_most_protected_name_counts_when_a_mark_is_lowered(
    setting: str | None, comment: str, strongest: str | None
) -> None:
    assert Mark("shop", setting, comment).strongest == strongest


@pytest.mark.parametrize(
    "text", ["", "Orders.", "two words", "ends with a blank ", " ", "line\nbreak", "a [link]", "it's \\ here"]
)
def test_the_text_of_a_comment_stays(text: str) -> None:
    statement = comment_statement("shop", "staging", text)
    comment = f"{text} {STAGING}" if text else STAGING
    mark = Mark("shop", None, comment)
    assert mark.environment() == "staging"
    assert mark.text == text
    quoted = comment.replace("'", "''")
    literal = "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in text else f"'{quoted}'"
    assert statement == f'COMMENT ON DATABASE "shop" IS {literal}'


def test_statements_quote_what_they_are_given() -> None:
    assert set_statement('a"b', "it's") == "ALTER DATABASE \"a\"\"b\" SET pgrehearse.environment = 'it''s'"
    assert comment_statement("shop", None) == 'COMMENT ON DATABASE "shop" IS NULL'
    assert comment_statement("shop", None, "Orders.") == "COMMENT ON DATABASE \"shop\" IS 'Orders.'"


def test_the_advice_keeps_the_comment_and_can_be_printed() -> None:
    advice = Mark("sh\udce9p", None, "Caf\udce9 'A'").advice("staging")
    advice.encode()
    assert advice.startswith("pgrehearse environment set staging\n")
    assert "IS 'Caf\ufffd ''A'' [pgrehearse.environment=staging]';" in advice
    assert "SET pgrehearse.environment = 'staging';" in advice
