"""The pytest front end in another project: one that has a ``docs/`` folder and nothing else."""

from __future__ import annotations

import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.majors import LATER, LATER_SAID
from support.processes import PGREHEARSE, PYTEST, call, clean_environment, start
from support.projects import write
from support.waiting import LIMIT, wait_until

GREEN = "# Green\n\n```sql\nSELECT 1 AS a;\n```\n\n```text\n a\n---\n 1\n(1 row)\n```\n"
WRONG = (
    "# Wrong\n\n```sql\nSELECT 2 AS a;\n```\n\n```text\n a\n---\n 1\n(1 row)\n```\n\n```sql\nSELECT 3;\n```\n"
)
#: A page of somebody who never heard of this format.
FOREIGN = """\
Some page
=========

```sql
create table people (id int primary key, name text);
insert into people values (1, 'Ada'), (2, 'Grace');
```

Text, a list and another language:

* item

```bash
psql -f people.sql
```

```sql
select * from people;
delete from people where id = 2;

drop table people
```
"""


class Project:
    """A folder with documents; ``pytest`` and ``pgrehearse`` are called inside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = clean_environment()
        self.environment.pop("PGREHEARSE_SERVER", None)

    def write(self, **files: str) -> None:
        """Write ``docs/NAME.md``."""
        for name, text in files.items():
            write(self.root, f"docs/{name}.md", text)

    def command(self, *arguments: str) -> tuple[str, ...]:
        return (*PYTEST, "--color=no", *arguments)

    def pytest(self, *arguments: str) -> tuple[int, str]:
        return self.run(*self.command(*arguments))

    def run(self, *command: str) -> tuple[int, str]:
        done = call(command, self.root, self.environment)
        return done.status, done.said


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_documents_are_collected_by_name(project: Project) -> None:
    project.write(green=GREEN, wrong=WRONG, README="# Only prose\n\n```text\nx\n```\n")
    (project.root / "README.md").write_text(GREEN, "utf-8")
    status, out = project.pytest("--collect-only", "-q")
    assert status == 0, out
    assert re.findall(r"^\S+::\S+$", out, re.M) == ["docs/green.md::green", "docs/wrong.md::wrong"]
    out = project.pytest("--collect-only", "-q", "-k", "wrong")[1]
    assert re.findall(r"^\S+::\S+$", out, re.M) == ["docs/wrong.md::wrong"]
    out = project.pytest("--collect-only", "-q", "README.md")[1]
    assert "README.md::README" in out, "a file that is named is collected wherever it lies"
    out = project.pytest("--collect-only", "-q", "--pg", "15,18,15", "docs/green.md")[1]
    assert re.findall(r"^\S+::\S+$", out, re.M) == [
        "docs/green.md::green[pg15]",
        "docs/green.md::green[pg18]",
    ]
    assert project.pytest("--collect-only", "-q", "--no-documents")[0] == 5


def test_documents_run_in_parallel_beside_ordinary_tests(project: Project) -> None:
    skipped = f"```sql {LATER}\nSELECT wrong;\n```\n"
    project.write(green=GREEN, foreign=FOREIGN, later=skipped)
    (project.root / "test_it.py").write_text("def test_it():\n    assert True\n", "utf-8")
    status, out = project.pytest("-n", "2", "-q")
    assert status == 0, out
    assert "4 passed" in out
    assert f"document cells: 3 passed, 1 skipped ({LATER_SAID})" in out


@pytest.mark.parametrize("value", ["abc", "14", "15;16", "15,,16"])
def test_a_wrong_major_is_a_usage_error(project: Project, value: str) -> None:
    project.write(green=GREEN)
    status, out = project.pytest("-q", "--pg", value)
    assert status == 4
    assert "ERROR: --pg: " in out
    assert "write some of 15,16,17,18,19, or all" in out
    assert "Traceback" not in out


def test_a_broken_configuration_is_a_usage_error(project: Project) -> None:
    project.write(green=GREEN)
    (project.root / "pyproject.toml").write_text('[tool.pgrehearse]\ndocuments = "docs"\n', "utf-8")
    status, out = project.pytest("-q")
    assert status == 4
    assert "pyproject.toml: [tool.pgrehearse] documents is not a list" in out
    assert "Traceback" not in out


@pytest.fixture
def own_cache(project: Project) -> Iterator[None]:
    """What this test keeps must not push out what a developer keeps. Enterable by the server's user."""
    path = Path(tempfile.mkdtemp(prefix="pgr-cache-"))
    path.chmod(0o755)
    project.environment["PGREHEARSE_CACHE"] = str(path)
    yield
    shutil.rmtree(path)


@pytest.mark.usefixtures("own_cache")
def test_a_failure_says_where_what_and_how_to_look(project: Project) -> None:
    project.write(wrong=WRONG)
    status, out = project.pytest("-q", "--pg", "18")
    assert status == 1
    assert "docs/wrong.md:7: the output differs [PostgreSQL 18." in out
    assert "    SELECT 2 AS a;" in out
    assert re.search(r"^\s+- 1$", out, re.M)
    assert re.search(r"^\s+\+ 2$", out, re.M)
    assert "next: mend the statement, or accept the new output with --accept" in out
    assert "1 later cell did not run" in out
    assert "document cells: 1 failed, 1 notrun" in out
    assert "Traceback" not in out
    line = re.search(r"pgrehearse psql (\S+)", out)
    assert line, out
    query = "SELECT current_setting('pgrehearse.environment')"
    status, out = project.run(*PGREHEARSE, "psql", line[1], "-Atc", query)
    assert (status, out) == (0, "disposable\n")
    out = project.run(*PGREHEARSE, "psql")[1]
    assert line[1].split("/")[0] in out


def test_accept_rewrites_what_it_names_and_the_next_run_is_green(project: Project) -> None:
    project.write(wrong=WRONG, green=GREEN)
    status, out = project.pytest("-q", "--accept")
    assert status == 0, out
    assert "accepted docs/wrong.md:7\n" in out
    assert "green.md" not in out
    assert (project.root / "docs" / "wrong.md").read_text("utf-8") == WRONG.replace(" 1\n", " 2\n")
    status, out = project.pytest("-q")
    assert status == 0, out
    assert project.pytest("-q", "--accept", "--pg", "17,18")[0] == 4


def test_the_linter_stops_a_document(project: Project) -> None:
    project.write(bad='# Bad\n\n```sql sesion="x"\nSELECT 1;\n```\n', broken="---\ntitle: [\n---\n")
    status, out = project.pytest("-q", "docs/bad.md")
    assert status == 1
    assert "docs/bad.md:3: unknown option 'sesion' [unknown-option]" in out
    assert "next: did you mean 'session'?" in out
    status, out = project.pytest("-q", "docs/broken.md")
    assert status == 2
    assert "docs/broken.md:" in out
    assert "front matter is not YAML" in out


def test_without_the_plugin_pytest_is_as_it_was(project: Project) -> None:
    project.write(wrong=WRONG)
    (project.root / "test_it.py").write_text("def test_it():\n    assert True\n", "utf-8")
    status, out = project.pytest("-q", "-p", "no:pgrehearse")
    assert status == 0, out
    assert "1 passed" in out


NO_SERVER = """\
from pathlib import Path

from pgrehearse.errors import SetupError
from pgrehearse.servers import binaries, npm


def fetch(major):
    raise SetupError("npm is not there", next_step="install PostgreSQL")


binaries._DEBIAN = Path("nowhere")
binaries._wheel = lambda: None
npm.cached = lambda major: None
npm.fetch = fetch
"""


def test_without_a_server_documents_fail_and_are_not_skipped(project: Project) -> None:
    project.write(green=GREEN)
    (project.root / "conftest.py").write_text(NO_SERVER, "utf-8")
    (project.root / "bin").mkdir()
    project.environment |= {"PATH": str(project.root / "bin")}
    project.environment.pop("PGREHEARSE_BINDIR", None)
    status, out = project.pytest("-q")
    assert status == 1
    assert "npm is not there\n  next: install PostgreSQL" in out
    assert "1 failed" in out
    assert "skipped" not in out
    assert "Traceback" not in out


SLOW = """\
```python
from pathlib import Path

import psycopg

with psycopg.connect() as connection:
    data, = connection.execute("SHOW data_directory").fetchone()
Path("pid.new").write_text((Path(data) / "postmaster.pid").read_text().split()[0])
Path("pid.new").rename("pid")
```

```sql
SELECT pg_sleep(60);
```
"""


def test_ctrl_c_leaves_no_server(project: Project) -> None:
    project.write(slow=SLOW)
    process = start(project.command("-q"), project.root, project.environment)
    wait_until((project.root / "pid").exists, "the document runs")
    pid = int((project.root / "pid").read_text("utf-8"))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 2, out + err
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the server is gone")


def test_the_command_runs_a_foreign_file(project: Project) -> None:
    project.write(foreign=FOREIGN)
    status, out = project.run(*PGREHEARSE, "test", "docs/foreign.md")
    assert status == 0, out
    assert "ok    docs/foreign.md  PostgreSQL 18." in out
    assert "2/2 cells" in out
    assert "cells: 2 passed, 0 failed" in out
    status, out = project.run(*PGREHEARSE, "test", "docs/foreign.md", "--pg", "14")
    assert status == 2
    assert "--pg: '14' is no supported server major" in out
    assert not (project.root / "docs" / ".pgrehearse").exists(), "records lie where one stands"


def test_measure_compares_with_claims_and_evidence(project: Project) -> None:
    page = (
        "# Measured\n\n```sql\nCREATE TABLE t (a int);\n```\n\n```sql CLAIM\nALTER TABLE t ADD b int;\n```\n"
    )
    project.write(page=page.replace("CLAIM", 'rewrite="yes"'))
    status, out = project.run(*project.command("-q"))
    assert status == 0, "without the option claims are not measured: " + out
    status, out = project.run(*project.command("-q", "--measure"))
    assert status == 1
    assert "page.md:7: rewrite: claimed yes, measured no" in out
    project.write(page=page.replace("CLAIM", 'rewrite="no"'))
    status, out = project.run(*project.command("-q", "--measure"))
    assert status == 1
    assert "no committed evidence: ALTER TABLE t ADD b int" in out
    status, out = project.run(*PGREHEARSE, "measure", "--refresh")
    assert status == 0, out
    status, out = project.run(*project.command("-q", "--measure"))
    assert status == 0, out
