"""A page reads a name as a run does: one table of values, and every word that needs quotes."""

from __future__ import annotations

from playwright.sync_api import Browser

from pgrehearse.text.keywords import QUOTED
from pgrehearse.text.written_names import NameKind, UnreadableName, written
from support import ROOT
from support.browsers import Visit
from support.name_spellings import SPELLINGS

SCRIPT = (ROOT / "src/pgrehearse/site/assets/names.js").read_text(encoding="utf-8")
MEANT = """([script, values]) => {
    (0, eval)(script);
    return values.map(([kind, value]) => {
        try { return pgrehearseNames.written(kind, value); }
        catch (error) { if (error instanceof pgrehearseNames.Unsure) return null; throw error; }
    });
}"""


def meant(browser: Browser, values: list[tuple[str, str]]) -> list[str | None]:
    with Visit(browser) as visit:
        return list(visit.to("about:blank").evaluate(MEANT, [SCRIPT, [list(one) for one in values]]))


def test_a_page_reads_names_as_a_run_does(browser: Browser) -> None:
    values = [(kind, given) for kind, given, _ in SPELLINGS]
    assert meant(browser, values) == [wanted for _, _, wanted in SPELLINGS]


def test_each_value_means_the_same_under_every_kind(browser: Browser) -> None:
    values = [(kind.value, given) for kind in NameKind for given in {given for _, given, _ in SPELLINGS}]
    values += [("relation", word) for word in QUOTED]

    def read(kind: str, value: str) -> str | None:
        try:
            return written(NameKind(kind), value)
        except UnreadableName:
            return None

    wanted = {one: read(*one) for one in values}
    found = dict(zip(values, meant(browser, values), strict=True))
    assert {one: found[one] for one in values if found[one] != wanted[one]} == {}
