"""Snippets: one text, many places."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.text.document import parse
from pgrehearse.text.snippets import Snippets

TEXT = """\
```sql snippet="one"
SELECT 1;
```

```python snippet="two"
old
lines
here
```

```sql
SELECT 3;
```

```sql snippet="one"
old
```
end
"""


@pytest.fixture
def snippets(tmp_path: Path) -> Snippets:
    for name, text in {"sql/one.sql": "SELECT 1;\n", "python/two.py": "x = 1\n\ny = 2\n\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return Snippets(tmp_path)


def test_sync(snippets: Snippets) -> None:
    document = parse(TEXT, Path("page.md"))
    assert [cell.index for cell in snippets.out_of_sync(document)] == [2, 4]
    text = snippets.synced(document)
    assert text == TEXT.replace("old\nlines\nhere", "x = 1\n\ny = 2").replace("old", "SELECT 1;")
    again = parse(text, Path("page.md"))
    assert snippets.out_of_sync(again) == []
    assert snippets.synced(again) == text


@pytest.mark.parametrize("change", ["SELECT 1", "SELECT 1; ", "select 1;", "\nSELECT 1;"])
def test_any_difference_counts(snippets: Snippets, change: str) -> None:
    document = parse(f'```sql snippet="one"\n{change}\n```\n', Path("page.md"))
    assert len(snippets.out_of_sync(document)) == 1


def test_names(snippets: Snippets) -> None:
    assert snippets.names("sql") == ["one"]
    assert snippets.names("python") == ["two"]


def test_a_wrong_name_is_an_error_of_the_cell(snippets: Snippets) -> None:
    document = parse('text\n\n```sql snippet="two"\nSELECT 1;\n```\n', Path("page.md"))
    with pytest.raises(DocumentError, match="no snippet 'two' for this cell") as caught:
        snippets.out_of_sync(document)
    assert caught.value.location == "page.md:3"
    assert caught.value.next_step == "known snippets: one"
