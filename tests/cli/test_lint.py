"""``pgrehearse lint`` and ``pgrehearse sync``."""

from __future__ import annotations

from support.bench import Bench

FRONT = "---\ntitle: T\njupyter:\n  jupytext:\n    main_language: python\n---\n\n"
SNIPPET = f'{FRONT}```sql snippet="one"\nSELECT 1;\n```\n'


def test_every_file_is_checked_also_behind_one_that_cannot_be_read(bench: Bench) -> None:
    bench.write("docs/a.md", "---\ntitle: [\n---\n")
    (bench.root / "docs" / "b.md").write_bytes(b"# B\n\n\xff\n")
    bench.write("docs/c.md", f"{FRONT}```SQL\nSELECT 1;\n```\n")
    bench.write("docs/d.md", f"{FRONT}```sql\nSELECT 1;\n```\n")
    ended = bench.call("lint")
    assert ended.status == 65
    assert "a.md:" in ended.out
    assert "b.md:3: not UTF-8" in ended.out
    assert "c.md:8: " in ended.out
    assert "d.md" not in ended.out
    assert ended.out.endswith("problems\n")
    assert bench.call("lint", "docs/d.md").status == 0
    assert bench.call("lint", "docs/e.md").status == 65


def test_sync_checks_without_writing_and_writes_without_checking(bench: Bench) -> None:
    bench.write("snippets/sql/one.sql", "SELECT 2;\nSELECT 3;\n")
    file = bench.write("docs/a.md", SNIPPET)
    ended = bench.call("sync", "--check")
    assert (ended.status, file.read_text("utf-8")) == (65, SNIPPET)
    assert "a.md:8: differs from snippet one" in ended.out
    assert bench.call("lint").status == 65
    assert bench.call("sync").status == 0
    assert "SELECT 2;\nSELECT 3;\n```" in file.read_text("utf-8")
    assert bench.call("sync", "--check").status == 0
    assert bench.call("lint").status == 0


def test_an_unknown_snippet_names_those_there_are(bench: Bench) -> None:
    bench.write("snippets/sql/two.sql", "SELECT 2;\n")
    bench.write("docs/a.md", SNIPPET)
    ended = bench.call("sync")
    assert ended.status == 65
    assert "docs/a.md:8: no snippet 'one'" in ended.err
    assert "known snippets: two" in ended.err
