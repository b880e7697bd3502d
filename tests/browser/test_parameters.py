"""A reader's own values on the page of a runbook: the page makes of them what a run sends, and it works."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

import markdown
import pytest
from markupsafe import Markup
from playwright.sync_api import Browser, Page

from pgrehearse.execution.databases import Databases
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.runbook.parameters import values_of
from pgrehearse.servers import Server
from pgrehearse.site.content import embed
from pgrehearse.site.content.published import CellState, Published
from pgrehearse.site.parts.sent import as_sent
from pgrehearse.site.parts.sent_block import sent_block
from pgrehearse.text.document import load
from pgrehearse.text.project import Project
from pgrehearse.text.split import split
from pgrehearse.text.written_names import typed
from support import ROOT
from support.browsers import Visit, violations
from support.databases import Database
from support.sites import serving

SCRIPT = "".join(
    (ROOT / f"src/pgrehearse/site/assets/{name}.js").read_text(encoding="utf-8")
    for name in ("names", "parameters")
)
EXTENSIONS = ["tables", "md_in_html", "pymdownx.highlight", "pymdownx.superfences"]
CONFIGS = {"pymdownx.highlight": {"pygments_lang_class": True}}
TABLE, COLUMN, TYPE = 'Wish "list"; --', 'it\'s a "col" $1', "My $$ mood"
EVIL = 'it\'s \\ $$ "x"; DROP TABLE app_users; --\n/* %I é'


def ident(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Case:
    """A runbook on the handbook's tables with other names.

    ``before``: its rehearsal is made under the old names. ``left``: blocks that only a database can write,
    at most.
    """

    runbook: str
    renames: str
    values: dict[str, str]
    before: bool = False
    left: int = 0


RENAMED = f"ALTER TABLE wishlist_items RENAME TO {ident(TABLE)};"
CASES = [
    Case(
        "enum-add-value",
        f"ALTER TYPE store RENAME TO {ident(TYPE)};",
        {"type": ident(TYPE), "label": EVIL[:40]},
    ),
    Case(
        "enum-rename-value",
        f"ALTER TYPE store RENAME TO {ident(TYPE)};",
        {"type": f"public.{ident(TYPE)}", "new_label": "\\' or \"1\""},
    ),
    Case(
        "constraint-check",
        f"{RENAMED} ALTER TABLE {ident(TABLE)} RENAME title TO {ident(COLUMN)};",
        {
            "table": ident(TABLE),
            "constraint": "Select",
            "condition": f"length({ident(COLUMN)}) > 0 AND {ident(COLUMN)} <> ';)'",
            "comment": EVIL,
        },
    ),
    Case(
        "index-create",
        RENAMED,
        {"table": ident(TABLE), "index": COLUMN, "columns": 'currency,"store" ', "comment": EVIL},
    ),
    Case(
        "constraint-foreign-key",
        f"{RENAMED} ALTER TABLE app_users RENAME TO \"user\";",
        {"table": ident(TABLE), "target": "user", "constraint": COLUMN, "comment": EVIL},
        before=True,
    ),
    Case(
        "column-change-type",
        "DROP INDEX wishlist_items_opened_idx;"
        " ALTER TABLE wishlist_items DROP CONSTRAINT wishlist_items_opened_check;"
        f" ALTER TABLE wishlist_items RENAME opened TO {ident(COLUMN[:12])};" + RENAMED,
        {"table": f"public . {ident(TABLE)}", "column": COLUMN[:12], "twins": ""},
        before=True,
        left=8,
    ),
]  # fmt: skip


class Played:
    """A runbook carried out on a database of its own, with the values of its example or of a case."""

    def __init__(self, databases: Databases, case: Case, *, hostile: bool) -> None:
        self.document = load(ROOT / "runbooks" / f"{case.runbook}.md")
        self.example = {name: one.example for name, one in self.document.front.parameters.items()}
        self.values = values_of(self.document, self.example | (case.values if hostile else {}))
        self.case, self.hostile, self.major = case, hostile, databases.server.major
        name = databases.fresh(self.document.front.database, "parameters")
        self.database = Database(databases.server.dsn(name))

    def states(self, instead: dict[int, str] | None = None) -> list[CellState]:
        """What each cell of the way forward sent. ``instead``: line of a cell -> statements sent for it."""
        before = self._rename if self.hostile else lambda: None
        if self.hostile and not self.case.before:
            before()
        sent: dict[int, CellState] = {}
        with Executor(
            self.database.dsn, environment={}, path=self.document.path, major=self.major, values=self.example
        ) as executor:
            for cell in self.document.in_order():
                if instead and cell.phase == "Roll back":  # it goes by a receipt, which only a run keeps
                    continue
                if cell.phase == "Rehearsal" and self.case.before:
                    executor.values = self.example
                elif executor.values is not self.values:
                    executor.values = self.values
                    if self.hostile and self.case.before:
                        before()
                text = (instead or {}).get(cell.line)
                (result,) = executor.run(replace(cell, source=text) if text else cell)
                assert result.failure is None, (cell.line, result.output, result.failure)
                sent[cell.line] = CellState(cell, result.status, sent=result.sent)
        return [sent[cell.line] for cell in self.document.cells if cell.line in sent]

    def _rename(self) -> None:
        self.database.execute(self.case.renames)


@pytest.fixture(scope="module")
def databases(server: Server, repository: Project) -> Iterator[Databases]:
    made = Databases(server, repository)
    yield made
    made.close()


def page_of(played: Played, project: Project) -> str:
    """The part of the site's page that is about values, as the site makes it."""
    states = tuple(played.states())
    item = Published(played.case.runbook, played.document, states)

    def highlighted(sql: str, attributes: dict[str, str]) -> Markup:
        names = Markup(" ").join(Markup('{}="{}"').format(*one) for one in attributes.items())
        return Markup("<div {}><pre><code>{}</code></pre></div>").format(names, sql)

    fields = markdown.markdown(
        embed._parameters(played.document, project), extensions=EXTENSIONS, extension_configs=CONFIGS
    )
    blocks = "".join(
        f"<section id='line-{state.cell.line}'>{sent_block(item, state, highlighted)}</section>"
        for state in states
    )
    head = "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Page</title>"
    head += "<link rel='icon' href='data:,'></head>"
    return f"{head}<body><main><h1>Page</h1>{fields}{blocks}</main><script>{SCRIPT}</script></body></html>"


def shown(page: Page) -> dict[int, str | None]:
    """Line of a cell -> the statements beside it; None for those that only a database can write."""
    found = page.locator("section:has([data-run-sent])").evaluate_all(
        "all => all.map(one => [Number(one.id.slice(5)), one.querySelector('code').textContent,"
        " one.querySelector('.run-left') !== null])"
    )
    return {line: None if left else text for line, text, left in found}


def address(page: Page) -> str:
    """Where the page says it is; the driver hears of that later."""
    return str(page.evaluate("location.href"))


def statements(text: str) -> list[str]:
    """Those of a block; a schema that the search path finds may be said or not."""
    return [one.sql.replace("public.", "") for one in split(text)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.runbook)
def test_what_the_page_makes_of_hostile_names_is_what_a_run_sends(
    browser: Browser, databases: Databases, repository: Project, tmp_path: Path, case: Case
) -> None:
    example = Played(databases, case, hostile=False)
    (tmp_path / "index.html").write_text(page_of(example, repository), encoding="utf-8")
    hostile = Played(databases, case, hostile=True)
    wanted = {state.cell.line: as_sent(state) for state in hostile.states()}
    with serving(tmp_path) as url, Visit(browser) as visit:
        page = visit.to(f"{url}/")
        before = shown(page)
        for name, value in case.values.items():
            page.get_by_label(name, exact=True).fill(value)
        made = shown(page)
        assert sum(one is None for one in made.values()) <= case.left, (case.runbook, made)
        assert {line: statements(text) for line, text in made.items() if text} == {
            line: statements(wanted[line]) for line, text in made.items() if text
        }, case.runbook
        # The state is the address.
        again = visit.to(address(page).replace("/#", "/?again#"))
        assert shown(again) == made
        for name, value in example.example.items():
            again.get_by_label(name, exact=True).fill(value)
        assert (shown(again), "#" in address(again)) == (before, False)
        assert visit.wrong == []
    Played(databases, case, hostile=True).states({line: text for line, text in made.items() if text})


@pytest.fixture(scope="module")
def url(databases: Databases, repository: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of the runbook that adds a CHECK, which takes names, SQL and a text."""
    folder = tmp_path_factory.mktemp("check")
    played = Played(databases, Case("constraint-check", "", {}), hostile=False)
    (folder / "index.html").write_text(page_of(played, repository), encoding="utf-8")
    with serving(folder) as address:
        yield f"{address}/"


def filled(page: Page, **values: str) -> list[str | None]:
    for name, value in values.items():
        page.get_by_label(name, exact=True).fill(value)
    return list(shown(page).values())


def test_sql_that_would_end_its_statement_is_not_put_in(browser: Browser, url: str) -> None:
    """Somebody else may have made the link."""
    evil = "true); DROP TABLE t; --"
    ends = [
        "true) NOT VALID",
        "(true",
        "a > 0 -- all",
        "a /* b",
        "'open",
        '"open',
        "$$ a $$",
        "a = $q$b",
        "E'\\'' > 0",
        "E'\\'' ); DROP TABLE t; --'",
        "$é$ ' $é$ ); DROP TABLE t; --'",
        "$a",
        "a > :limit",
        "a > :'limit'",
        " ",
        "",
        "a \u202e b",
    ]
    with Visit(browser) as visit:
        page = visit.to(f"{url}#{urlencode({'condition': evil})}")
        assert page.get_by_label("condition", exact=True).input_value() == evil
        assert list(shown(page).values()).count(None) == 1
        for condition in ends:
            assert filled(page, condition=condition)[0] is None, condition
        assert None not in filled(page, condition="(a > ';)') AND \"b;\" <> ')'")
        assert visit.wrong == []


def test_a_type_is_a_name_or_what_types_look_like(
    browser: Browser, databases: Databases, repository: Project, tmp_path: Path
) -> None:
    played = Played(databases, Case("column-add", "", {}), hostile=False)
    (tmp_path / "index.html").write_text(page_of(played, repository), encoding="utf-8")
    with serving(tmp_path) as address, Visit(browser) as visit:
        page = visit.to(f"{address}/")
        for wanted in (
            "numeric(10, 2)[]",
            "timestamp(3) with time zone",
            "app.mood",
            '"My ""mood"""',
            "double precision",
        ):
            assert f" {wanted} " in (filled(page, type=wanted)[0] or ""), wanted
        for evil in ('x);--."b"', "int; DROP", "int)--", "int DEFAULT 1 /*", "a'b", "a$b$", ""):
            made = filled(page, type=evil)[0]
            assert made is None or f'"{evil.split(".")[0]}"' in made, (evil, made)


def test_an_address_that_cannot_be_read_breaks_nothing(browser: Browser, url: str) -> None:
    with Visit(browser) as visit:
        page = visit.to(f"{url}#%E0%A4%A&table=%E0%A4%A&constraint=x&__proto__=y&other=z")
        assert page.get_by_label("constraint", exact=True).input_value() == "x"
        assert visit.wrong == []


def test_what_is_no_name_is_not_put_in(browser: Browser, url: str) -> None:
    with Visit(browser) as visit:
        page = visit.to(url)
        for table in ("", "a.", ".a", "a.b.c", '"a', '"a"b', "x" * 64, "a\u200bb"):
            assert set(filled(page, table=table)) == {None}, table
        for table in ("a", "a b", "Order", 'app."Order"'):
            assert None not in filled(page, table=table), table


def test_names_are_quoted_as_the_server_quotes_them(browser: Browser, url: str, server: Server) -> None:
    database = Database(server.dsn())
    words = [word for (word,) in database.execute("SELECT word FROM pg_get_keywords()")]
    names = [
        *words,
        "A",
        "a b",
        'a"b',
        "1a",
        "a1",
        "_a",
        "a$",
        "é",
        "a.b",
        "it's",
        "\\",
        "a\nb",
        "x" * 63,
        "é" * 31,
    ]
    raw = ", ".join(f"convert_from('\\x{name.encode().hex()}', 'UTF8')" for name in names)
    ((wanted,),) = database.execute(f"SELECT array_agg(quote_ident(name)) FROM unnest(ARRAY[{raw}]) AS name")
    with Visit(browser) as visit:
        page = visit.to(url)
        field = page.get_by_label("constraint", exact=True)
        made = field.evaluate(
            """(field, names) => names.map(name => {
                field.value = name;
                field.dispatchEvent(new Event("input"));
                return document.querySelectorAll("[data-run-sent] code")[1].textContent;
            })""",
            list(map(typed, names)),
        )
    start, end = "ALTER TABLE wishlist_items VALIDATE CONSTRAINT ", ";"
    assert [one.removeprefix(start).removesuffix(end) for one in made] == wanted
    assert 'VALIDATE CONSTRAINT "select";' in "\n".join(made)


def test_commands_have_the_values_as_a_shell_reads_them(browser: Browser, url: str) -> None:
    values = {"table": ident(TABLE), "condition": "a <> 'b'", "comment": EVIL, "replaces": ""}
    with Visit(browser) as visit:
        page = visit.to(url)
        filled(page, **values)
        run, psql = page.locator(".language-console code").all_text_contents()
    for command, option in ((run, "--set"), (psql, "-v")):
        arguments = (
            subprocess.run(
                ["bash", "-c", f"set -- {command}\nprintf '%s\\0' \"$@\""], capture_output=True, check=True
            )
            .stdout.decode()
            .split("\0")
        )
        given = dict(arguments[at + 1].split("=", 1) for at, one in enumerate(arguments) if one == option)
        assert {name: given.get(name, "") for name in values} == values
    assert "--set replaces" not in run


def test_fields_can_be_used_by_everybody(browser: Browser, url: str) -> None:
    with Visit(browser, script=False) as visit:
        page = visit.to(f"{url}#table=other")
        assert page.locator("textarea").count() == 0
        assert "wishlist_items" in page.locator("[data-run-sent]").first.inner_text()
    with Visit(browser) as visit:
        page = visit.to(url)
        filled(page, table="a b")
        assert violations(page) == []
        for key in ("Tab", "x"):
            page.keyboard.press(key)
        assert page.get_by_label("constraint", exact=True).input_value().endswith("checkx")
        first, second, *_ = shown(page)
        visit.to(f"{url}?2#line-{first}&table=orders")
        assert "orders" in (shown(page)[first] or "")
        page.evaluate("line => { location.hash = `line-${line}` }", second)
        page.wait_for_function("line => location.hash === `#line-${line}&table=orders`", arg=second)
