"""What a built page holds, read from its HTML, whatever the HTML is like."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.site.built.pages import (
    Block,
    Page,
    built_names,
    downloads,
    load,
    missing_places,
    offered,
    style_loads,
)
from support.projects import write


def page(root: Path, html: str, name: str = "index.html") -> Page:
    return load(root, write(root, name, html))


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ('<pre><code class="language-sql">SELECT 1;</code></pre>', [("sql", "SELECT 1;")]),
        (
            '<div class="language-sql highlight"><pre><span></span><code>'
            '<span class="k">SELECT</span> 1\n</code></pre></div>',
            [("sql", "SELECT 1")],
        ),
        (
            '<div data-run-language="SQL"><pre><code>a &lt; b &amp;&amp; c</code></pre></div>',
            [("sql", "a < b && c")],
        ),
        ("<pre><code>x</code></pre>", [("", "x")]),
        ("<p><code>x</code></p>", []),
        ("<pre>x</pre>", [("", "x")]),
        ("<samp>x</samp>", [("", "x")]),
        ('<p><code class="highlight">x</code></p>', [("", "x")]),
        ('<p><code class="language-sql">x</code></p>', [("sql", "x")]),
        ('<div class="language-sql"><div class="linenodiv"><pre>1</pre></div></div>', []),
        ('<pre><code class="language-c++">x<br>y</code></pre>', [("c++", "xy")]),
        ('<pre><code class="a language-sql b">x</pre>', [("sql", "x")]),
        ("<pre><code>a</code></pre></div></pre><pre><code>b</code></pre>", [("", "a"), ("", "b")]),
    ],
)
def test_blocks(tmp_path: Path, html: str, blocks: list[tuple[str, str]]) -> None:
    assert [(block.language, block.text) for block in page(tmp_path, html).blocks] == blocks


def test_a_block_knows_its_line(tmp_path: Path) -> None:
    found = page(tmp_path, "<p>\n</p>\n<pre><code>a\nb</code></pre>\n\n<pre><code>c</code></pre>")
    assert found.blocks == [Block("", "a\nb", 3), Block("", "c", 6)]


def test_runbooks_and_totals(tmp_path: Path) -> None:
    found = page(
        tmp_path, '<p data-run-total="12"></p><nav data-run-runbook="a"></nav><p data-run-total="x">'
    )
    assert (found.totals, found.runbooks) == ([12], ["a"])


@given(st.text(st.sampled_from("<>/\"'=& aprecodhif#:[]\n"), max_size=60))
def test_no_page_is_too_odd_to_be_read(tmp_path_factory: pytest.TempPathFactory, html: str) -> None:
    list(missing_places([page(tmp_path_factory.getbasetemp(), html, "odd.html")]))


@pytest.mark.parametrize(
    ("html", "loads"),
    [
        ('<img src="https://x.example/a.png">', ["img src"]),
        ('<img src="a.png" srcset="b.png 1x, //x.example/c.png 2x">', ["img srcset"]),
        ('<script src="//x.example/a.js"></script>', ["script src"]),
        ('<link rel="stylesheet" href="https://x.example/a.css">', ["link href"]),
        ('<link rel="canonical" href="https://x.example/">', []),
        ('<a href="https://x.example/">x</a>', []),
        ("<style>a { background: url(https://x.example/a.png) }</style>", ["style"]),
        ("<p style=\"background: url('//x.example/a.png')\">", ["style attribute"]),
        ('<pre class="mermaid">x</pre>', ["mermaid diagram"]),
    ],
)
def test_what_a_browser_would_fetch_elsewhere(tmp_path: Path, html: str, loads: list[str]) -> None:
    assert [what for what, _, _ in page(tmp_path, html).loads] == loads


def test_style_sheets(tmp_path: Path) -> None:
    css = (
        "@import '//a.example/x'; /* url(http://no.example) */"
        'b { src: url( "HTTPS://c.example/d" ) } e { src: url(f) }'
    )
    assert style_loads(css) == ["//a.example/x", "HTTPS://c.example/d"]


HOME = "<h1 id=top></h1><a name=old></a><meta name=viewport>"


@pytest.mark.parametrize(
    ("html", "missing"),
    [
        ('<a href="#top">', ["#top"]),
        ('<p id="top"></p><a href="#top">', []),
        ('<a href="../#top">', []),
        ('<a href="..#top">', []),
        ('<a href="../index.html#old">', []),
        ('<a href="../#viewport">', ["../#viewport"]),
        ('<a href="../#gone">', ["../#gone"]),
        ('<a href="../#gr%C3%B6%C3%9Fe">', ["../#gr%C3%B6%C3%9Fe"]),
        ('<a href="../none/#top">', []),
        ('<a href="https://x.example/#top">', []),
        ('<a href="/#top">', []),
        ('<a href="#">', []),
        ('<a href="http://[#top">', []),
    ],
)
def test_places_that_are_not_there(tmp_path: Path, html: str, missing: list[str]) -> None:
    built = [page(tmp_path, HOME), page(tmp_path, html, "guide/index.html")]
    assert [href for _, href, _ in missing_places(built)] == missing


def test_a_place_with_any_name(tmp_path: Path) -> None:
    assert list(missing_places([page(tmp_path, '<p id="größe"></p><a href="#gr%C3%B6%C3%9Fe">')])) == []


def test_downloads_are_files_of_the_site(tmp_path: Path) -> None:
    found = page(tmp_path, '<a download href="../a%20b.sql?x#y">', "guide/index.html")
    assert offered(tmp_path, found) == [(tmp_path / "a b.sql", "../a%20b.sql?x#y", 1)]
    page(tmp_path, '<a download href="a b.sql">', "other.html")
    assert downloads(tmp_path) == [tmp_path / "a b.sql"]
    ((file, *_),) = offered(tmp_path, page(tmp_path, '<a download href="http://[">'))
    assert not file.is_file(), "what is no address is missing"


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("index.md", ("index.html", "index.html")),
        ("a.md", ("a/index.html", "a.html")),
        ("a/index.md", ("a/index.html", "a/index.html")),
        ("a/README.md", ("a/index.html", "a/README.html")),
        ("a.b/c.d.md", ("a.b/c.d/index.html", "a.b/c.d.html")),
    ],
)
def test_where_mkdocs_puts_a_page(name: str, places: tuple[str, str]) -> None:
    assert built_names(name) == places
