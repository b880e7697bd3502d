"""Documents with one flaw each, in ``negative/``: every flaw turns the run red, at its line.

The same documents with the flaw mended are green, so it is the flaw that was found and nothing else.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from pgrehearse.text.document import load
from support.majors import TEST_MAJOR
from support.processes import PGREHEARSE, call, clean_environment

NEGATIVE = Path(__file__).parent / "negative"


@dataclass(frozen=True)
class Flaw:
    """Where the run complains, with which words, and what would mend the document."""

    line: int
    message: str
    mend: tuple[str, str]
    #: cells that did not run after the flaw
    left: int = 0


#: Found by running: exit status 1.
RUN = {
    "wrong-row": Flaw(13, "the output differs", ("3 |", "2 |")),
    "wrong-sqlstate": Flaw(11, "SQLSTATE 42P01 was expected, it raised 22012", ("42P01", "22012")),
    "nothing-raised": Flaw(10, "nothing was raised; SQLSTATE 22012 was expected", ("1 / 1", "1 / 0")),
    "never-ran": Flaw(11, "it raised SQLSTATE 42703", ("nope", "1"), left=1),
    "error-before-last": Flaw(
        10, "the expected error came before the last statement; 1 never ran", ("0;\nSELECT 1;", "0;")
    ),
    "left-waiting": Flaw(
        16,
        "the document ends while this statement still waits for session main",
        ('session="other"\nSELECT 1', 'session="main"\nCOMMIT'),
    ),
    "does-not-wait": Flaw(
        16, "was to wait for session main, but completed without waiting", (' wait="main"', "")
    ),
    "waits-unannounced": Flaw(
        16, "the statement did not finish in time, it waits for session main", ("LOCK TABLE item;\n", "")
    ),
    "python-error": Flaw(11, "ZeroDivisionError: division by zero", ("total([])", "total([1])")),
    "python-output": Flaw(13, "the output differs", ("\n3\n", "\n2\n")),
    "one-transaction": Flaw(12, "it raised SQLSTATE 25001", ("BEGIN;\n", "")),
    "missing-notice": Flaw(
        13,
        "the output differs",
        ("\nDROP TABLE\n", '\nNOTICE:  table "item" does not exist, skipping\nDROP TABLE\n'),
    ),
    "later-output": Flaw(20, "the output differs", ("\n 3\n", "\n 1\n")),
    "generated-error": Flaw(10, "it raised SQLSTATE 42P01", ("DROP TABLE %I", "CREATE TABLE %I ()")),
}
#: Found by reading: exit status 65, and nothing of the document is run.
FORM = {
    "key-order": Flaw(
        9, "not in alphabetical order", ('session="app" expect="22012"', 'expect="22012" session="app"')
    ),
    "later-than-what": Flaw(20, "that of no server, or of another", ("15 and", "16 and")),
    "unknown-option": Flaw(9, "unknown option 'expects'", ("expects", "expect")),
    "macro-in-fence": Flaw(9, "a macro delimiter inside a block", ("[[= page.title =]]", "title")),
    "unclosed-fence": Flaw(9, "this fence is never closed", ("SELECT 1;\n", "SELECT 1;\n```\n")),
    "upper-case-language": Flaw(9, "language 'SQL'", ("```SQL", "```sql")),
    "indented-fence": Flaw(
        11,
        "an indented fence is published but is no cell",
        ("    ```sql\n    SELECT nope;", "    ```yaml\n    a: b"),
    ),
    "quoted-fence": Flaw(
        9, "an indented fence is published but is no cell", ("> ```sql\n> SELECT nope;", "> ```yaml\n> a: b")
    ),
    "undeclared-parameter": Flaw(11, "variable 'label' is no parameter", (":'label'", "'label'")),
    "unquoted-parameter": Flaw(12, "psql would put the value of 'label' in unquoted", (":label;", "'x';")),
    "psql-command": Flaw(11, r"psql command \d is not SQL", ("\\d item\n", "")),
    "phase-order": Flaw(
        9,
        "phases are Apply, Preflight, Verify, Roll back",
        (
            "## Apply\n\n```sql\nSELECT 1;\n```\n\n## Preflight",
            "## Preflight\n\n```sql\nSELECT 1;\n```\n\n## Apply",
        ),
    ),
    "illustration-without-reason": Flaw(
        13, "an illustration without a reason the reader sees", (".noeval}", '.noeval title="Not now"}')
    ),
    "python-syntax": Flaw(11, "not Python: expected ':'", ("if x\n", "if x:\n")),
    "other-name": Flaw(13, "a reader takes postgresql for sql", ("postgresql\nSELECT nope", "sql\nSELECT 2")),
    "output-not-compared": Flaw(
        13, "is not compared with it", (' title="Output"\n a\n---\n 2', "\n a\n---\n 1")
    ),
    "unknown-snippet": Flaw(
        9, "no snippet 'no-such-snippet' for this cell", (' snippet="no-such-snippet"', "")
    ),
}


def run_all(folder: Path, names: list[str]) -> tuple[int, dict[str, str]]:
    """Rehearse documents in one run: its exit status, and what it printed about each."""
    options = ["--no-keep", *(["--pg", str(TEST_MAJOR)] if TEST_MAJOR else [])]
    environment = clean_environment()
    environment.pop("PGREHEARSE_SERVER", None)
    files = (f"docs/{name}.md" for name in names)
    done = call((*PGREHEARSE, "test", *options, *files), folder, environment, limit=300)
    assert "Traceback (most recent call last)" not in done.err, done.err
    parts = re.split(r"(?m)^(?=(?:ok  |FAIL)  docs/)", done.out)
    return done.status, {
        part.split()[1].removeprefix("docs/").removesuffix(".md"): part for part in parts[1:]
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with copies of the documents, so that their records and databases touch nobody else's."""
    root = tmp_path_factory.mktemp("negative")
    (root / "pyproject.toml").write_text("", "utf-8")
    shutil.copytree(NEGATIVE, root / "docs")
    return root


@pytest.fixture(scope="module")
def printed(folder: Path) -> dict[str, tuple[int, str]]:
    """Exit status of the run it was in, and what was printed, per document."""
    found = {}
    for names in ([*RUN], [*FORM], ["positive"]):
        status, parts = run_all(folder, names)
        assert sorted(parts) == sorted(names), "a document was not reported"
        found |= {name: (status, text) for name, text in parts.items()}
    return found


@pytest.mark.parametrize("name", RUN)
def test_a_flaw_that_shows_when_it_runs(name: str, printed: dict[str, tuple[int, str]]) -> None:
    status, text = printed[name]
    flaw = RUN[name]
    assert status == 1
    assert text.startswith("FAIL")
    assert f"\ndocs/{name}.md:{flaw.line}: {flaw.message} [PostgreSQL " in text, text
    assert "  next: " in text
    assert (f"{flaw.left} later cell did not run" in text) is bool(flaw.left), text


@pytest.mark.parametrize("name", FORM)
def test_a_flaw_of_the_form(name: str, printed: dict[str, tuple[int, str]]) -> None:
    status, text = printed[name]
    assert status == 65
    assert text.startswith("FAIL")
    first = text.split("\n")[1]
    assert f"docs/{name}.md:{FORM[name].line}: " in first, text
    assert FORM[name].message in first, text
    assert "  next: " in text


def test_the_positive_control(printed: dict[str, tuple[int, str]]) -> None:
    status, text = printed["positive"]
    assert status == 0
    assert re.fullmatch(r"ok    docs/positive\.md  PostgreSQL \S+  7/7 cells.*", text.split("\n")[0])


def test_mended_they_are_green(folder: Path) -> None:
    """The flaw, and nothing else, was what turned each red."""
    for name, flaw in {**RUN, **FORM}.items():
        path = folder / "docs" / f"{name}.md"
        text = path.read_text("utf-8")
        old, new = flaw.mend
        assert text.count(old) == 1, (name, text.count(old))
        (path.parent / f"mended-{name}.md").write_text(text.replace(old, new), "utf-8")
    status, parts = run_all(folder, [f"mended-{name}" for name in (*RUN, *FORM)])
    assert [text for text in parts.values() if not text.startswith("ok")] == []
    assert status == 0
    assert len(parts) == len(RUN) + len(FORM)


def test_lint_finds_the_form_and_only_the_form(folder: Path) -> None:
    files = (f"docs/{name}.md" for name in (*RUN, *FORM, "positive"))
    done = call((*PGREHEARSE, "lint", *files), folder)
    assert done.status == 65, done.said
    for name, flaw in FORM.items():
        if name != "unknown-snippet":
            assert f"docs/{name}.md:{flaw.line}: " in done.out, name
    for name in (*RUN, "positive"):
        assert f"docs/{name}.md" not in done.out, done.out


def test_every_document_is_in_the_table_and_says_what_is_wrong() -> None:
    names = {path.stem for path in NEGATIVE.glob("*.md")}
    assert names == {*RUN, *FORM, "positive"}
    for path in NEGATIVE.glob("*.md"):
        assert path.read_text("utf-8").startswith("---\ntitle: ")
        assert len(load(path).front.title) > 15
