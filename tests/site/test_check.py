"""The check of the built HTML: what it lets pass, and what turns it red."""

from __future__ import annotations

import pytest

from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.site.built.pages import downloads
from support.tiny import Tiny


def edit(tiny: Tiny, name: str, old: str, new: str) -> None:
    page = tiny.html(name)
    assert old in page
    (tiny.site / name).write_text(page.replace(old, new, 1), encoding="utf-8")


def refused(tiny: Tiny, **options: bool) -> str:
    with pytest.raises(DocumentError) as caught:
        tiny.check(**options)
    return str(caught.value)


def test_nothing_built(tiny: Tiny) -> None:
    with pytest.raises(SetupError, match="no site has been built"):
        tiny.check()


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (
            '<div class="highlight language-sql"><pre><code>SELECT <b>99</b>;</code></pre></div>',
            "'SELECT 99;'",
        ),
        ('<pre><code class="language-python">x = 1</code></pre>', "'x = 1'"),
        (
            '<div class="highlight language-postgresql"><pre><code>SELECT 4;</code></pre></div>',
            "as postgresql",
        ),
        ('<pre><code class="language-py3">x = 1</code></pre>', "as py3"),
    ],
)
def test_a_block_that_never_ran(built: Tiny, block: str, said: str) -> None:
    edit(built, "guide/index.html", "</article>", f"{block}</article>")
    message = refused(built)
    assert said in message
    assert message.startswith("guide/index.html:")
    assert "next: " in message


def test_a_block_shown_twice_ran_once(built: Tiny) -> None:
    block = '<pre><code class="language-sql">SELECT uuidv7();</code></pre>'
    edit(built, "guide/index.html", "</article>", f"{block}</article>")
    assert "docs/guide.md:21: published, but no cell" in refused(built)


def test_a_block_of_another_page_is_no_proof(built: Tiny) -> None:
    block = '<pre><code class="language-sql">SELECT uuidv7();</code></pre>'
    edit(built, "404.html", "</body>", f"{block}</body>")
    assert "404.html" in refused(built)


def test_text_changed_after_the_build(built: Tiny) -> None:
    edit(built, "guide/index.html", "uuidv7", "uuidv4")
    message = refused(built)
    assert "docs/guide.md:20: this block is not on the built page guide/index.html" in message
    assert "'SELECT uuidv4();'" in message


def test_record_lost_after_the_build(built: Tiny) -> None:
    (built.project.records / "records" / "docs.guide.json").unlink()
    assert "docs/guide.md:8: published, but it has no green run" in refused(built)


def test_a_cell_swallowed_by_broken_markdown(tiny: Tiny) -> None:
    # An unquoted value: superfences takes the opening for text, and strict MkDocs says nothing.
    tiny.replace("docs/guide.md", '```sql needs="18"', "```sql needs=18")
    tiny.record()
    tiny.build()
    assert "docs/guide.md:20: this block is not on the built page guide/index.html" in refused(tiny)


def test_a_page_that_was_not_built(built: Tiny) -> None:
    (built.site / "guide" / "index.html").unlink()
    assert "docs/guide.md:8: this block is published nowhere" in refused(built)


def test_a_runbook_embedded_nowhere(tiny: Tiny) -> None:
    tiny.write("docs/index.md", "# Home\n")
    tiny.write("docs/add-value.md", "# Nothing\n")
    tiny.build()
    assert "runbooks/add-value.md: no page embeds this runbook" in refused(tiny)


def test_a_runbook_embedded_twice(built: Tiny) -> None:
    edit(built, "guide/index.html", "</article>", '<nav data-run-runbook="add-value"></nav></article>')
    assert "runbooks/add-value.md: embedded 2 times: add-value/index.html, guide/index.html" in refused(built)


def test_a_wrong_number_on_the_proof_page(built: Tiny) -> None:
    edit(built, "index.html", 'data-run-total="10"', 'data-run-total="11"')
    assert "index.html: prints 11 blocks, but the site has 10" in refused(built)


def test_downloads_must_exist(built: Tiny) -> None:
    message = refused(built, downloads=True)
    assert "3 problems" in message
    assert "offers add-value.ipynb, which does not exist" in message
    wanted = [path.relative_to(built.site).as_posix() for path in downloads(built.site)]
    assert wanted == [f"add-value/add-value.{suffix}" for suffix in ("ipynb", "md", "sql")]
    for suffix in ("ipynb", "sql", "md"):
        built.write(f"site/add-value/add-value.{suffix}", "x")
    assert built.check(downloads=True).pages > 0


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        '<link rel="preconnect" href="https://cdn.example">',
        '<img src="http://cdn.example/x.png" alt="">',
        '<img srcset="x.png 1x, https://cdn.example/x.png 2x" alt="">',
        '<p style="background: url(https://cdn.example/x.png)"></p>',
        "<style>@import 'https://cdn.example/x.css';</style>",
        '<iframe src="https://cdn.example/"></iframe>',
        '<a data-md-component="source" href="https://cdn.example/repo">r</a>',
        '<pre class="mermaid"></pre>',
    ],
)
def test_a_page_that_loads_from_elsewhere(built: Tiny, html: str) -> None:
    edit(built, "index.html", "</article>", f"{html}</article>")
    message = refused(built)
    assert message.startswith("index.html:")
    assert "loads " in message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("assets/x.css", "p { background: url('//cdn.example/x.png') }"),
        ("assets/x.css", '@import "https://cdn.example/x.css";'),
        ("assets/x.js", 'import("https://cdn.example/x.js")'),
        ("assets/x.js", 'fetch("https://cdn.example/")'),
    ],
)
def test_a_file_that_loads_from_elsewhere(built: Tiny, name: str, text: str) -> None:
    built.write(f"site/{name}", text)
    assert f"{name}: loads " in refused(built)


def test_links_to_other_hosts_are_no_loads(built: Tiny) -> None:
    harmless = '<a href="https://www.postgresql.org/docs/">manual</a><link rel="canonical" href="https://x.example/">'
    edit(built, "index.html", "</article>", f"{harmless}</article>")
    built.write("site/assets/x.css", "/* from https://x.example */ p { background: url(x.png) }")
    built.check()


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ('<div class="language-plsql highlight"><pre><code>SELECT 4;</code></pre></div>', "as plsql"),
        ('<pre><code class="language-sqlite3">SELECT 4;</code></pre>', "as sqlite3"),
        ('<div class="language-console"><pre><code>shop=> SELECT 4;</code></pre></div>', "as console"),
        ("<pre><code>DROP TABLE items;</code></pre>", "as a block"),
        ("<pre>SELECT count(*) FROM items</pre>", "as a block"),
        ("<samp>import psycopg</samp>", "as a block"),
        ('<p>Now <code class="highlight language-sql">DROP TABLE items</code>.</p>', "'DROP TABLE items'"),
        ("<textarea>ALTER TABLE items ADD b int;</textarea>", "as a block"),
    ],
)
def test_a_block_that_reads_like_a_cell(built: Tiny, block: str, said: str) -> None:
    edit(built, "guide/index.html", "</article>", f"{block}</article>")
    message = refused(built)
    assert said in message
    assert "next: " in message


def test_what_says_that_it_is_shown_is_no_cell(built: Tiny) -> None:
    block = '<pre title="A sample of the format"><code>SELECT 4;</code></pre>'
    edit(built, "guide/index.html", "</article>", f"{block}</article>")
    built.check()


@pytest.mark.parametrize(
    "block",
    [
        "<pre><code> ?column?\n----------\n 2</code></pre>",
        '<div class="language-text highlight"><pre><code> 2\n(1 row)</code></pre></div>',
        "<samp>2</samp>",
    ],
)
def test_an_output_that_no_cell_has(built: Tiny, block: str) -> None:
    """As an inclusion brings it, which the linter does not see."""
    edit(built, "guide/index.html", "</article>", f"{block}</article>")
    assert "looks like the output of the cell above" in refused(built)


def test_below_a_heading_of_its_own_it_is_none(built: Tiny) -> None:
    edit(built, "guide/index.html", "</article>", "<h2>Usage</h2><pre>a | b</pre></article>")
    built.check()


def test_what_a_step_sent_is_on_the_page_and_nothing_else_says_so(tiny: Tiny) -> None:
    cell = "ALTER TYPE store ADD VALUE IF NOT EXISTS :'label';"
    line = (tiny.root / "runbooks" / "add-value.md").read_text("utf-8").split("\n").index(cell)
    tiny.record_with(line, sent=("ALTER TYPE store ADD VALUE IF NOT EXISTS 'it''s <b>'",))
    tiny.build()
    page = tiny.html("add-value/index.html")
    assert page.index("data-run-sent") < page.index("How a run writes this")
    tiny.check()
    edit(tiny, "add-value/index.html", "&lt;b&gt;", "&lt;c&gt;")
    message = refused(tiny)
    assert message.startswith("add-value/index.html:")
    assert 'shown as what was sent, but nothing sent this: "ALTER TYPE store ADD VALUE' in message


@pytest.mark.parametrize(
    "block",
    [
        '<div class="language-sql" data-run-sent><pre><code>SELECT 99;</code></pre></div>',
        '<pre data-run-sent="true">DROP TABLE t;</pre>',
        '<section data-run-sent><p>Text</p><pre><code class="language-sql">SELECT 98;</code></pre></section>',
    ],
)
def test_the_mark_of_what_was_sent_excuses_nothing(built: Tiny, block: str) -> None:
    edit(built, "guide/index.html", "</article>", f"{block}</article>")
    assert "guide/index.html:" in (said := refused(built))
    assert "nothing sent this" in said
