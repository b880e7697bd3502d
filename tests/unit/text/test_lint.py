"""Each rule of the linter: a document that breaks it, the line it names; and a document it accepts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.text import lint
from pgrehearse.text.document import PHASES, parse

FRONT = """\
---
title: T
jupyter:
  jupytext: {main_language: python}
---
"""
PARAMETER = FRONT.replace("title: T\n", "title: T\nparameters:\n  label: {description: d, example: x}\n")
CELL = "```sql\nSELECT 1;\n```\n"
LATER = '```text title="PostgreSQL {} and later"\nx\n```\n'
ILLUSTRATION = '```{.sql .noeval title="Needs a second server"}\nSELECT 1\n```\n'


def rules(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.check) for problem in lint.check(parse(text, Path("page.md")))]


def body(text: str) -> list[tuple[int, str]]:
    """Rules that ``text`` breaks, with lines counted within it."""
    return [(line - FRONT.count("\n"), rule) for line, rule in rules(FRONT + text)]


def test_an_output_of_later_servers_is_no_answer_of_a_check() -> None:
    """What an operator's run compares is one row; elsewhere in a runbook servers may say it differently."""
    two = CELL + "\n```text\nx\n```\n\n" + LATER.format(19)
    runbook = "# T\n\n" + "\n".join(f"## {phase}\n\n{{}}\n" for phase in PHASES[:4])
    parts = ["", "", "", ""]
    for number, refused in enumerate([True, False, True, False]):
        here = runbook.format(*parts[:number], two, *parts[number + 1 :])
        found = [rule for _, rule in rules(FRONT + here)]
        assert ("output-header" in found) is refused, PHASES[number]
    until = CELL.replace("```sql", '```sql until="18"')
    assert (8, "output-header") in body(until + "\n```text\nx\n```\n" + LATER.format(19)), (
        "it never runs there"
    )


def test_the_accepted_form() -> None:
    text = f"""\
# T

Text with `code` and <b>HTML</b>.
{CELL}
```text
 ?column?
```

- list
- list

{CELL}
```sql expect="22012" name="fails" needs="15" session="app" timeout="5s" until="18"
SELECT 1/0; -- it's
```

```python
x = 'é'
```

{ILLUSTRATION}
```yaml title="x.yml"
a: 1
```

## Next

!!! note

    ```text
    indented
    ```
"""
    assert body(text) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("```sql\nSELECT 1;\n", (1, "unclosed-fence")),
        ("```text\nx\n", (1, "unclosed-fence")),
        ("```sql\nSELECT 1;\n````\n", (3, "fence-style")),
        ("```sql\nSELECT 1;\n``` \n", (3, "fence-style")),
        ("```sql\nSELECT 1;\n  ```\n", (3, "fence-style")),
        ("    ```sql\n    SELECT 1;\n    ```\n", (1, "fence-style")),
        ("> ```sql\n> SELECT 1;\n> ```\n", (1, "fence-style")),
        ("- ```sql\n  SELECT 1;\n  ```\n", (1, "fence-style")),
        ("~~~sql\nSELECT 1;\n~~~\n", (1, "fence-style")),
        ("````sql\nSELECT 1;\n````\n", (1, "fence-style")),
        ("````text\nx\n````\n" + CELL, (1, "fence-style")),
        ("```sql\nSELECT $$\n```x\n$$;\n```\n", (3, "fence-style")),
        ("```SQL\nSELECT 1;\n```\n", (1, "language-case")),
        ("```Python\nx = 1\n```\n", (1, "language-case")),
        ("```sql\n\n```\n", (1, "empty-cell")),
        ("```sql\n-- only a comment\n```\n", (1, "empty-cell")),
        ("<!--\n" + CELL + "-->\n", (2, "html-comment")),
        ("```sql\nSELECT '[[= x =]]';\n```\n", (1, "macro-in-fence")),
        ("```python\nx = '[[% x %]]'\n```\n", (1, "macro-in-fence")),
        (CELL + "```text\n[[= x =]]\n```\n", (4, "macro-in-fence")),
        ('```sql session="b" expect="55P03"\nSELECT 1;\n```\n', (1, "option-order")),
        ('```sql expekt="55P03"\nSELECT 1;\n```\n', (1, "unknown-option")),
        ('```sql active="md"\nSELECT 1;\n```\n', (1, "reserved-option")),
        ('```sql {expect="55P03"}\nSELECT 1;\n```\n', (1, "header")),
        ("```{.sql}\nSELECT 1;\n```\n", (1, "header")),
        ("```{.sql .noeval}\nSELECT 1;\n```\n", (1, "illustration-reason")),
        ('```{.sql .noeval title=""}\nSELECT 1;\n```\n', (1, "illustration-reason")),
        ('```{.sql .noeval title="x" session="a"}\nSELECT 1;\n```\n', (1, "header")),
        ("```postgresql\nSELECT 1;\n```\n", (1, "language-alias")),
        ("```py\nx\n```\n", (1, "language-alias")),
        ('```psql title="x"\n\\d\n```\n', (1, "language-alias")),
        ("```ruby\ndropdb x\n```\n", (1, "executing-fence")),
        ("```bash\ndropdb x\n```\n", (1, "executing-fence")),
        ('```ruby title="x"\ndropdb x\n```\n', (1, "executing-fence")),
        ("```yaml foo\na: 1\n```\n", (1, "header")),
        (CELL + '```text title="Output"\nx\n```\n', (4, "output-header")),
        (CELL + LATER.format(19), (4, "output-header")),
        (CELL + "```text\nx\n```\n" + LATER.format(15), (7, "output-header")),
        (CELL + "```text\nx\n```\n" + LATER.format(98), (7, "output-header")),
        (CELL + "```text\nx\n```\n" + LATER.format(18) + LATER.format(18), (10, "output-header")),
        (CELL + "```text\nx\n```\n" + LATER.format(18) + LATER.format(17), (10, "output-header")),
        (CELL + "\n  ```text\n  x\n  ```\n", (5, "output-header")),
        ("```sql\nSELECT 1;\n\\d\n```\n", (3, "sql")),
        ("```sql\nSELECT 'a;\n```\n", (2, "sql")),
        ("```sql\nCOPY t FROM stdin;\n```\n", (2, "sql")),
        ("```python\nx = 1\nx = (\n```\n", (3, "python")),
        ("```python\n%%time\nx = 1\n```\n", (2, "python")),
        ("```sql\nSELECT 1;\nSELECT :'label';\n```\n", (3, "undeclared-parameter")),
        ('```sql\nSELECT :"t";\n```\n', (2, "undeclared-parameter")),
        ('```sql wait="main"\nSELECT 1;\n```\n', (1, "wait-session")),
        (CELL + '```sql wait="main"\nSELECT 1;\n```\n', (4, "wait-session")),
        ('```sql session="b" wait="main"\nSELECT 1;\n```\n' + CELL, (1, "wait-session")),
        ('```sql name="a"\nSELECT 1;\n```\n```python name="a"\nx\n```\n', (4, "duplicate-name")),
        ("a\r\nb\n", (1, "line-endings")),
        ("a\n\x0cb\n", (2, "control-character")),
        ("```sql\nSELECT '\u2028';\n```\n", (2, "control-character")),
        ("```sql\nSELECT '''a';\n```\n", (1, "triple-quote")),
        ("a\n \n", (2, "blank-line")),
        ("    a\n" + CELL, (1, "blank-line")),
        ("<div>\n" + CELL + "\n</div>\n", (1, "blank-line")),
        ("<div>\n\n" + CELL, (1, "raw-html")),
        ("<style>\n\n" + CELL, (1, "raw-html")),
        ("<!-- #region -->\n", (1, "jupytext-line")),
        ("```code``` x\n", (1, "jupytext-line")),
        ("%%sql\n", (1, "jupytext-line")),
        ("```text\n::: x\n```\n", (2, "jupytext-line")),
    ],
)
def test_refused(text: str, wanted: tuple[int, str]) -> None:
    assert wanted in body(text)


@pytest.mark.parametrize(
    "text",
    [
        "```sql\nSELECT '<!--';\n```\n" + CELL,
        "```sql\nSELECT '{{1,2}}'::int[], '[[:alpha:]]', x[1:2];\n```\n",
        CELL + "\n## Next\n\n```text\nx\n```\n",
        "```python\ns = '''a\n\nb'''\n```\n" + CELL,
        "<details markdown>\n<summary>x</summary>\n\n" + CELL + "\n</details>\n",
        CELL + '```sql session="b" wait="main"\nSELECT 1;\n```\n',
        "```console\n$ ls\n```\n",
        '[[= runbook("x") =]]\n',
    ],
)
def test_not_refused(text: str) -> None:
    assert body(text) == []


@pytest.mark.parametrize(
    ("front", "wanted"),
    [
        ("", [(1, "jupytext-language")]),
        (FRONT.replace("python", "sql"), [(1, "jupytext-language")]),
        ("---\njupyter: {jupytext: {main_language: python}}\n---\n", [(1, "jupytext-language")]),
        ("---\njupytext: {main_language: python}\n---\n", [(1, "jupytext-language")]),
        (FRONT[:-4] + "...\n", [(5, "jupytext-language")]),
    ],
)
def test_the_language_of_the_notebook(front: str, wanted: list[tuple[int, str]]) -> None:
    assert rules(front + "\n" + CELL) == wanted
    assert rules(front + "\nno cell\n") == []


def test_parameters() -> None:
    used = "```sql\nSELECT :'label', :\"label\";\n```\n"
    assert rules(PARAMETER + used) == []
    assert (9, "unquoted-parameter") in rules(
        PARAMETER + "```sql\n\nSELECT :label;\n```\n".replace("\n\n", "\n")
    )
    assert rules(PARAMETER + CELL) == [(1, "unused-parameter")]
    assert rules(PARAMETER + "```python\nprint(label)\n```\n") == []
    assert rules(PARAMETER + used + "```sql\nSELECT a[1:n], 'a:label', b::text;\n```\n") == []


def runbook(*phases: str, cells: bool = True) -> str:
    return FRONT + "".join(f"## {phase}\n\n{CELL if cells else ''}\n" for phase in phases)


def test_runbooks() -> None:
    right = ("Preflight", "Apply", "Verify", "Roll back")
    assert rules(runbook(*right)) == []
    assert rules(runbook(*right, "Rehearsal")) == []
    assert rules(runbook(*right).replace("title: T", "title: T\nprograms: [sh]")) == [(1, "phases")]
    assert rules((FRONT + CELL).replace("title: T", "title: T\nprograms: [sh]")) == []
    assert rules(runbook("Preflight", "Apply", "Verify")) == [(6, "phases")]
    assert rules(runbook("Apply", "Preflight", "Verify", "Roll back")) == [(6, "phases")]
    assert rules(runbook("Rehearsal", *right)) == [(6, "phases")]
    assert rules(runbook(*right, "Verify")) == [(6, "phases")]
    assert [rule for _, rule in rules(runbook(*right, cells=False))] == ["phases"] * 4
    assert rules(runbook(*right).replace("## Preflight", CELL + "\n## Preflight"))[0] == (6, "phases")
    assert (6, "runbook-macro") in rules(runbook(*right).replace("## Pre", "[[= x =]]\n\n## Pre"))


def test_errors_stop_a_run_and_style_does_not() -> None:
    document = parse(FRONT + "a\n \n\n" + CELL + "```sql\n```\n", Path("page.md"))
    assert [p.check for p in lint.check(document)] == ["blank-line", "empty-cell"]
    assert [p.check for p in lint.errors(document)] == ["empty-cell"]
    error = DocumentError.of(lint.errors(document))
    assert (error.location, error.exit_code, bool(error.next_step)) == ("page.md:12", 65, True)


def test_recordings() -> None:
    ways = "    unsafe: {label: a, cells: one}\n    safe: {label: b, cells: one two}\n"
    recording = "recordings:\n  r:\n    title: R\n    rows: 9\n    tables: t\n" + ways
    front = FRONT.replace("title: T\n", "title: T\n" + recording)
    one, two = (CELL.replace("sql\n", f'sql name="{name}"\n') for name in ("one", "two"))
    assert rules(front + "\n" + one + "\n" + two) == []
    assert rules(front + "\n" + one) == [(4, "recording-cell")]
    assert rules(front.replace("  r:", '  "r":') + "\n" + one) == [(1, "recording-cell")]


def test_every_rule_has_a_case_here() -> None:
    """A rule without a document that breaks it could be dead."""
    source = "".join(
        (Path(lint.__file__).parent / name).read_text("utf-8")
        for name in ("lint.py", "fence_form.py", "options.py")
    )
    tests = Path(__file__).read_text("utf-8")
    names = set(re.findall(r'(?:flaw|here)\((?:[^"()]*,)?\s*"([a-z-]+)",', source))
    assert len(names) > 20
    assert sorted(name for name in names if f'"{name}"' not in tests and name != "option-value") == []
