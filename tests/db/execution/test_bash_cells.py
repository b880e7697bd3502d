"""Bash cells: a folder of their own with the project's db/, the output and the exit status compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.rehearser import run_cells
from pgrehearse.execution.results import CellResult
from pgrehearse.servers import Server
from pgrehearse.text.document import parse
from support.processes import alive
from support.projects import commit, fence, git, project_at, write
from support.waiting import wait_until

Run = Callable[..., list[CellResult]]
cell = partial(fence, language="bash")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Run Bash cells of a project with one migration; ``environment`` may name a server."""
    project = project_at(tmp_path, {"db/migrations/1_one.sql": "-- migrate:up\n"})

    def run(*texts: str, environment: dict[str, str] | None = None, **more: object) -> list[CellResult]:
        path = tmp_path / "page.md"
        document = parse("---\nbash: true\n---\n" + "\n".join(texts), path)
        options = {"environment": environment or {}, "path": path, "major": 18, "project": project, **more}
        with Executor("", **options) as executor:  # type: ignore[arg-type]
            return run_cells(executor, document.in_order(), document.cells)

    yield run


def failure(results: list[CellResult]) -> tuple[int, str]:
    found = results[-1].failure
    assert found is not None, results[-1]
    assert found.next_step
    return found.line, found.message


def test_a_folder_of_its_own_lasts_from_cell_to_cell(run: Run, tmp_path: Path) -> None:
    results = run(
        cell("ls; ls db/migrations; pwd > where", expected="db\npyproject.toml\n1_one.sql"),
        cell("rm -r db; echo $label; cat where"),
        values={"label": "x'y"},
    )
    assert [result.status for result in results] == ["passed", "passed"]
    label, where = results[1].output.split("\n")
    assert label == "x'y"
    assert (tmp_path / "db" / "migrations" / "1_one.sql").is_file(), "the project is untouched"
    assert not Path(where).exists(), "the folder is gone with the document"


def test_a_hook_of_the_reader_s_repository_leads_no_cell_into_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a linked worktree git gives its hooks GIT_DIR, and a cell's commit would replace all its files."""
    theirs = tmp_path / "theirs"
    write(theirs, "precious", "kept")
    head = commit(theirs)
    monkeypatch.setenv("GIT_DIR", str(theirs / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(theirs / ".git" / "index"))
    results = run(
        cell("git init -q -b main && git add . && git -c user.name=a -c user.email=a@b commit -q -m one"),
        cell("git ls-files", expected="db/migrations/1_one.sql\npyproject.toml"),
    )
    assert [result.status for result in results] == ["passed", "passed"], failure(results)
    monkeypatch.undo()
    assert git(theirs, "rev-parse", "HEAD").strip() == head
    assert not git(theirs, "status", "--porcelain")


def test_what_the_reader_has_set_up_for_shells_does_not_count(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = write(tmp_path, "said.sh", "echo mine; set -o noglob")
    monkeypatch.setenv("BASH_ENV", str(said))
    monkeypatch.setenv("CDPATH", str(tmp_path))
    monkeypatch.setenv("BASH_FUNC_ls%%", "() { echo nothing here; }")
    monkeypatch.setenv("SHELLOPTS", "xtrace")
    monkeypatch.setenv("PSQLRC", str(said))
    passed = cell(
        'ls *; cd db; ls; echo "${PSQLRC-none}"',
        expected="pyproject.toml\n\ndb:\nmigrations\nmigrations\nnone",
    )
    (result,) = run(passed)
    assert result.status == "passed", result


def test_output_and_exit_status_are_compared(run: Run) -> None:
    assert failure(run(cell("echo 1", expected="2"))) == (7, "the output differs")
    assert failure(run(cell("false"))) == (5, "ended with exit status 1, expected 0")
    assert failure(run(cell("true", 'exit="1"'))) == (5, "ended with exit status 0, expected 1")
    assert failure(run(cell("false | true")))[1].startswith("ended with exit status 1")
    results = run(cell("echo out; echo err >&2; exit 65", 'exit="65"', "out\nerr"))
    assert results[0].status == "passed", "one text, as on a terminal"


def test_a_cell_that_does_not_end_goes_with_its_children(run: Run) -> None:
    for limit in ("500ms", "5s", "1min"):  # one that had not begun gets more time
        results = run(cell("sleep 1000 & echo $!; sleep 1000", f'timeout="{limit}"'))
        assert failure(results)[1] == "the cell did not finish in time"
        assert results[0].failure is not None
        if said := results[0].failure.detail:
            break
    pid = int(said)
    wait_until(lambda: not alive(pid), "the child ends")


def test_libpq_finds_the_document_s_database(run: Run, server: Server) -> None:
    question = 'python -c "import psycopg; print(psycopg.connect().info.dbname)"'
    results = run(cell(question, expected="postgres"), environment=server.env("postgres"))
    assert results[0].status == "passed", results[0].failure


def test_bash_is_read_only_where_the_front_matter_does_not_ask(tmp_path: Path) -> None:
    text = "```bash\nrm -rf everything\n```\n"
    assert parse("# Page\n" + text, tmp_path / "page.md").cells == ()
    assert len(parse(f"---\nbash: true\n---\n{text}", tmp_path / "page.md").cells) == 1
    with pytest.raises(DocumentError, match="bash is not true or false"):
        parse(f"---\nbash: sometimes\n---\n{text}", tmp_path / "page.md")
