"""``pgrehearse test --foreign``: Markdown that nobody wrote for this program, on a real server."""

from __future__ import annotations

import pytest

from support.bench import Bench

PAGE = """\
---
layout: [of another tool
---
# One

- first

    ```sql
    CREATE TABLE t (a int PRIMARY KEY);
    INSERT INTO t VALUES (1);
    ```

<!-- pgrehearse: expect="23505" -->
```postgresql
INSERT INTO t VALUES (1);
`````

## Two

> ```SQL
> CREATE TABLE t (a int);
> SELECT nothing
>   FROM t;
> ```

```python
raise SystemExit("nobody runs this")
```
"""


def test_its_blocks_run_and_its_lines_are_named(bench: Bench) -> None:
    bench.write("page.md", PAGE)
    assert bench.call("test", "page.md").status == 65, "as a document of ours it has faults of form"
    ended = bench.call("test", "--foreign", "--keep-going", "--no-keep", "page.md")
    assert ended.status == 1
    assert "2/3 cells" in ended.out
    assert "page.md:21: it raised SQLSTATE 42P07" in ended.out, "one database for the document"
    ended = bench.call("test", "--foreign", "--fresh", "2", "--no-keep", "page.md")
    assert ended.status == 1
    assert "page.md § One" in ended.out
    assert "page.md:22: it raised SQLSTATE 42703" in ended.out, "the heading began with a fresh database"
    assert bench.call("test", "--foreign", "--without", "#Two", "page.md").status == 0
    assert bench.call("test", "--foreign", "--marked", "--without", "#Two", "page.md").status == 1
    assert not list(bench.root.rglob("records/**/*.json")), "no page of a site is made of it"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--marked",), "add --foreign"),
        (("--fresh", "2"), "add --foreign"),
        (("--without", "x.md"), "add --foreign"),
        (("--foreign", "--accept"), "only read"),
        (("--foreign", "--fresh", "7"), "not in the range"),
    ],
)
def test_options_that_do_not_go_together(bench: Bench, options: tuple[str, ...], said: str) -> None:
    bench.write("page.md", PAGE)
    ended = bench.call("test", *options, "page.md")
    assert ended.status == 2
    assert said in ended.err
