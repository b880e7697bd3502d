"""Comments of every kind are compared; what is not compared at all is listed on the page."""

from __future__ import annotations

import pytest

from pgrehearse.schema import differences, read
from support import ROOT
from support.shop import Shop

from .changes import COMMENTS, NOT_COMPARED


def test_every_comment_is_seen(shop: Shop) -> None:
    with shop.clone() as database:
        shop.run(database, "\n".join(f"COMMENT ON {one} IS 'mark {n}.'" for n, one in enumerate(COMMENTS)))
        drift = differences(read(shop.server.dsn(database)), shop.schema)
    said = " ".join(one.sql for one in drift.only_left)
    assert [one for n, one in enumerate(COMMENTS) if f"mark {n}." not in said] == []


@pytest.mark.parametrize("name", NOT_COMPARED)
def test_what_is_not_compared_is_listed(shop: Shop, name: str) -> None:
    change, words = NOT_COMPARED[name]
    page = (ROOT / "docs" / "guides" / "detect-drift.md").read_text("utf-8")
    listed = page.partition("| compared | not compared")[2].partition("## See also")[0]
    assert words in listed
    with shop.clone() as database:
        shop.run(database, change)
        assert not differences(read(shop.server.dsn(database)), shop.schema), "it is seen: mend the page"
