"""Names of error codes are PostgreSQL's own."""

from __future__ import annotations

import pytest

from pgrehearse.site.parts.sqlstate import condition_name


@pytest.mark.parametrize(
    ("sqlstate", "name"),
    [
        ("55P03", "lock_not_available"),
        ("42601", "syntax_error"),
        ("22012", "division_by_zero"),
        ("2200L", "not_an_xml_document"),
        ("22037", "non_unique_keys_in_a_json_object"),
        ("2F005", "function_executed_no_return_statement"),
        ("P0001", "raise_exception"),
        ("HV000", "fdw_error"),
        ("XX000", "internal_error"),
        ("99999", ""),
        ("", ""),
        ("no code", ""),
    ],
)
def test_condition_name(sqlstate: str, name: str) -> None:
    assert condition_name(sqlstate) == name
