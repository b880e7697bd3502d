"""A built site shows every block as it ran, and every reason not to publish one stops the build."""

from __future__ import annotations

import re

import pytest

from pgrehearse.errors import DocumentError, PgRehearseError, SetupError
from pgrehearse.text.project import Project
from support.tiny import GUIDE, Tiny

FAILED = {"status": "failed", "message": "expected <1>", "message_line": 21, "output": "<script>x</script>"}


def test_builds_strictly_and_every_block_is_accounted_for(tiny: Tiny) -> None:
    tiny.build()
    report = tiny.check()
    assert report.sentence == "10 blocks: 9 run, 1 illustration, 0 skipped"
    assert report.majors == (("18", 9),)
    assert 'data-run-total="10"' in tiny.html("index.html")


def test_guide_shows_session_wait_expectation_version(tiny: Tiny) -> None:
    tiny.build()
    page = tiny.html("guide/index.html")
    chips = re.findall(r'<span class="run-chip [^>]*>([^<]*)</span>', page)
    assert chips == [
        "session app",
        "session reader",
        "waits for app",
        "expects 55P03 lock_not_available",
        "session main",
        "PostgreSQL 18+",
        "not executed here",
    ]
    assert 'data-run-session="reader"' in page
    assert 'data-run-wait="app"' in page
    assert 'data-run-expect="55P03"' in page
    assert 'data-run-needs="18"' in page


def test_what_later_servers_print_is_shown_under_their_name(tiny: Tiny) -> None:
    cell = "```sql\nSELECT 'early';\n```\n\n```text\n early\n```\n"
    later = '\n```text title="PostgreSQL 19 and later"\nERROR:  later\n```\n'
    tiny.write("docs/guide.md", GUIDE + "\n## Majors\n\n" + cell + later)
    tiny.record()
    tiny.build()
    tiny.check()
    html = tiny.html("guide/index.html")
    assert html.index(" early") < html.index("PostgreSQL 19 and later") < html.index("ERROR:  later")


@pytest.mark.parametrize(
    ("title", "marked"),
    [
        ("Needs a second server", True),
        ("Executed by Alembic 1.20.1 on PostgreSQL 15 to 18", False),
        ("What Django 5.2.19 sent, by the server's log", False),
        ("Recorded: from 15.18 to 18.6", False),
        ("What is sent next", True),
        ("Records of another server", True),
    ],
)
def test_what_something_else_executed_is_not_called_unexecuted(tiny: Tiny, title: str, marked: bool) -> None:
    tiny.replace("docs/guide.md", "Needs a second server", title)
    tiny.record()
    tiny.build()
    assert tiny.check().sentence.startswith("10 blocks: 9 run, 1 illustration")
    page = tiny.html("guide/index.html")
    assert title.split(",")[0] in page
    assert ("not executed here" in page) == marked


def test_a_section_with_one_session_names_none(tiny: Tiny) -> None:
    tiny.replace(
        "docs/guide.md", "```python\nif", "## Later\n\n```sql\nSELECT 'alone';\n```\n\n```python\nif"
    )
    tiny.record()
    tiny.build()
    later = tiny.html("guide/index.html").partition('id="later"')[2]
    assert "alone" in later
    assert "session main" not in later
    assert "data-run-lane" not in later


def test_proof_links_each_document_to_its_page(tiny: Tiny) -> None:
    tiny.build()
    proof = tiny.html("index.html")
    assert '<td><a href="guide/">Guide</a></td>' in proof
    assert '<td><a href="add-value/">Add a value</a></td>\n<td style="text-align: right;">5</td>' in proof


def test_illustration_keeps_title_numbers_and_marked_lines(tiny: Tiny) -> None:
    tiny.build()
    page = tiny.html("guide/index.html")
    assert '<span class="filename">Needs a second server</span>' in page
    assert 'class="hll"' in page
    assert "linenos" in page


def test_runbook_page(tiny: Tiny) -> None:
    tiny.build()
    page = tiny.html("add-value/index.html")
    assert page.count("<h1") == 1
    assert '<a class="run-steps" href="#preflight">Go to the steps</a>' in page
    for suffix in ("ipynb", "sql", "md"):
        assert f'<a href="add-value.{suffix}" download>' in page
    assert '<a href="../guide/">the guide</a>' in page
    assert "<code>[not](a-link.md)</code>" in page
    assert "<code>it&#39;s</code>" in page.replace("'", "&#39;")
    assert "Label to add, <em>as is</em>" in page
    assert page.index('id="roll-back"') < page.index('id="rehearsal"') < page.index("disposable databases")
    assert '<meta name="description" content="Adds a label.">' in page


def test_wrapper_with_a_title_keeps_its_own(tiny: Tiny) -> None:
    tiny.write("docs/add-value.md", '# Ours\n\n[[= runbook("add-value") =]]\n')
    tiny.build()
    page = tiny.html("add-value/index.html")
    assert page.count("<h1") == 1
    assert "Ours" in page


@pytest.mark.parametrize(
    "page",
    [
        "---\ntitle: How\nrender_macros: false\n---\n\n# How\n\n{}\n",
        "# How\n\n[[% raw %]]\n{}\n[[% endraw %]]\n",
    ],
)
def test_a_page_may_show_the_macro(tiny: Tiny, page: str) -> None:
    tiny.write("docs/how.md", page.format('[[= runbook("add-value") =]]'))
    tiny.build()
    assert "[[= runbook(" in tiny.html("how/index.html")
    tiny.check()


def test_index_links_to_the_embedding_page(tiny: Tiny) -> None:
    tiny.build()
    assert '<td><a href="add-value/">Add a value</a></td>' in tiny.html("index.html")


def test_skip_carries_its_reason_to_page_and_proof(tiny: Tiny) -> None:
    tiny.record_with(20, status="skipped", message="needs PostgreSQL 18")
    tiny.build()
    assert tiny.check().sentence == "10 blocks: 8 run, 1 illustration, 1 skipped (needs PostgreSQL 18)"
    assert "skipped: needs PostgreSQL 18" in tiny.html("guide/index.html")


BAD_PAGES = [
    (
        "docs/guide.md",
        '```sql session="app"',
        '```sql sesion="app"',
        "docs/guide.md:8: unknown option 'sesion'",
    ),
    ("docs/guide.md", 'expect="55P03" session', 'expect="5503" session', 'docs/guide.md:12: expect="5503"'),
    ("docs/guide.md", ' session="reader" wait="app"', ' wait="app" session="reader"', "alphabetical"),
    ("docs/guide.md", 'linenums="1"', 'session="app"', 'docs/guide.md:29: session="app" on an illustration'),
    ("docs/guide.md", "# Guide", "# Guide\n\n[x](nowhere.md)", "docs/guide.md:8: Doc file"),
    ("docs/guide.md", "# Guide", "# Guide\n\n[x](add-value.md#nowhere)", "nowhere"),
    (
        "docs/guide.md",
        "# Guide",
        "# Guide\n\n[[= nosuch() =]]",
        "docs/guide.md:8: macro: 'nosuch' is undefined",
    ),
    ("docs/guide.md", "# Guide", "# Guide\n\n[[= proof_summary( =]]", "docs/guide.md:8: macro: "),
    (
        "docs/add-value.md",
        "[[= runbook",
        "  [[= runbook",
        "docs/add-value.md:1: runbook('add-value') must stand",
    ),
    (
        "docs/add-value.md",
        "[[= runbook",
        "See [[= runbook",
        "docs/add-value.md:1: runbook('add-value') must stand",
    ),
    ("docs/add-value.md", "[[= runbook", "```text\n[[= runbook", "stands in a block"),
    (
        "docs/add-value.md",
        '"add-value"',
        '"ad-value"',
        "docs/add-value.md:1: runbook('ad-value') names no runbook",
    ),
    (
        "docs/guide.md",
        "# Guide",
        '# Guide\n\n[[= runbook("add-value") =]]',
        "stands on docs/add-value.md already",
    ),
    ("runbooks/add-value.md", "../docs/guide.md", "../docs/gide.md", "runbooks/add-value.md:11: Doc file"),
    (
        "runbooks/add-value.md",
        "../docs/guide.md",
        "../Makefile",
        "runbooks/add-value.md:11: link to ../Makefile",
    ),
    (
        "runbooks/add-value.md",
        "../docs/guide.md",
        "other.md",
        "runbooks/add-value.md:11: link to other.md: no page",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), BAD_PAGES, ids=[said for *_, said in BAD_PAGES])
def test_a_wrong_page_stops_the_build(tiny: Tiny, name: str, old: str, new: str, said: str) -> None:
    tiny.replace(name, old, new)
    tiny.record()
    with pytest.raises(DocumentError) as caught:
        tiny.build()
    assert said in str(caught.value)
    assert "next: " in str(caught.value)


def test_a_name_that_is_not_written_out_stops_the_build(tiny: Tiny) -> None:
    tiny.write("docs/index.md", "# Home\n")
    tiny.replace("docs/add-value.md", '"add-value"', '"add-" ~ "value"')
    with pytest.raises(DocumentError, match=r"docs/add-value\.md: runbook\('add-value'\) is not written out"):
        tiny.build()


def test_a_document_never_executed_stops_the_build(tiny: Tiny) -> None:
    tiny.write("docs/new.md", "# New\n\n```sql\nSELECT 1;\n```\n")
    with pytest.raises(DocumentError, match=r"docs/new\.md: this document was never executed"):
        tiny.build()


def test_a_stale_record_stops_the_build(tiny: Tiny) -> None:
    tiny.replace("docs/guide.md", "uuidv7()", "uuidv4()")
    with pytest.raises(
        DocumentError, match=r"docs/guide\.md: this document changed since it was last executed"
    ):
        tiny.build()


def test_a_failed_cell_stops_the_build(tiny: Tiny) -> None:
    tiny.record_with(20, **FAILED)
    with pytest.raises(DocumentError, match=r"docs/guide\.md:21: failed in its last run: expected <1>"):
        tiny.build()


def test_a_draft_shows_the_failure_below_its_block_escaped(tiny: Tiny) -> None:
    tiny.record_with(20, **FAILED)
    tiny.build(strict=False)
    page = tiny.html("guide/index.html")
    box = page[page.index('class="run-failure"') :]
    assert page.index("uuidv7") < page.index('class="run-failure"')
    assert "docs/guide.md:21" in box
    assert "expected &lt;1&gt;" in box
    assert "<script>x</script>" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in box


def test_a_draft_says_what_is_not_proven(tiny: Tiny) -> None:
    tiny.replace("docs/guide.md", "uuidv7()", "uuidv4()")
    tiny.build(strict=False)
    assert "changed since it was last executed" in tiny.html("guide/index.html")
    assert "changed since it was last executed" not in tiny.html("add-value/index.html")


def test_a_draft_may_link_to_a_runbook_still_to_be_written(tiny: Tiny) -> None:
    tiny.replace("runbooks/add-value.md", "../docs/guide.md", "other.md")
    tiny.write("runbooks/unpublished.md", "# Unpublished\n")
    tiny.build(strict=False)
    assert "the guide</a>" in tiny.html("add-value/index.html")


def test_the_variable_allows_a_draft_in_a_plain_build(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.replace("docs/guide.md", "uuidv7()", "uuidv4()")
    monkeypatch.setenv("PGREHEARSE_DRAFT", "1")
    tiny.build(strict=True)


def test_navigation_patterns(tiny: Tiny) -> None:
    nav = "nav:\n  - index.md\n  - Pages: ['add-*.md']\n  - Rest: ['*.md']\n  - Empty: ['none-*.md']\n"
    tiny.write("mkdocs.yml", (tiny.root / "mkdocs.yml").read_text(encoding="utf-8") + nav)
    tiny.build()
    page = tiny.html("index.html")
    assert page.index("Pages") < page.index("Add a value") < page.index("Rest")
    assert "Empty" not in page


def test_page_missing_in_navigation_stops_the_build(tiny: Tiny) -> None:
    config = (tiny.root / "mkdocs.yml").read_text(encoding="utf-8")
    tiny.write("mkdocs.yml", config + "nav:\n  - index.md\n  - add-value.md\n")
    with pytest.raises(DocumentError, match=r"guide\.md"):
        tiny.build()


def test_without_configuration(tiny: Tiny) -> None:
    (tiny.root / "mkdocs.yml").unlink()
    with pytest.raises(SetupError, match="no site"):
        tiny.build()


def test_wrong_configuration(tiny: Tiny) -> None:
    tiny.replace("mkdocs.yml", "name: material", "name: nosuch")
    with pytest.raises(SetupError, match="nosuch"):
        tiny.build()


def test_pages_in_another_folder(tiny: Tiny) -> None:
    (tiny.root / "docs").rename(tiny.root / "handbook")
    tiny.replace("mkdocs.yml", "site_name: Tiny", "site_name: Tiny\ndocs_dir: handbook")
    tiny.write("pyproject.toml", '[tool.pgrehearse]\ndocuments = ["handbook", "runbooks"]\n')
    tiny.replace("runbooks/add-value.md", "../docs/guide.md", "../handbook/guide.md")
    tiny.project = Project.at(tiny.root)
    tiny.record()
    tiny.build()
    assert tiny.check().counts.blocks == 10
    tiny.replace("handbook/index.md", "# Home", "# Home\n\n[x](nowhere.md)")
    with pytest.raises(DocumentError, match=r"^handbook/index\.md:3: Doc file"):
        tiny.build()


def test_a_plugin_that_breaks_is_told_with_its_words(tiny: Tiny) -> None:
    tiny.write("boom.py", "def on_page_markdown(markdown, **kwargs):\n    raise RuntimeError('boom')\n")
    tiny.replace("mkdocs.yml", "site_name: Tiny", "site_name: Tiny\nhooks: [boom.py]")
    with pytest.raises(PgRehearseError, match=r"MkDocs failed: .*boom"):
        tiny.build()
