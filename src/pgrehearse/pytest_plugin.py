"""pytest front end: every document is a test item, one per server major.

Active as soon as the package is installed. Markdown files below the project's documents (``docs/`` and
``runbooks/`` unless pyproject.toml says otherwise) that hold an sql or python block are collected; other
Markdown files are left alone, unless they are named on the command line. The folder of the migrations is
one more item: the schema evolution policy.

pytest loads this module in every project of an environment, so what executes and measures is imported where
it is used: 0.3 s that other people's tests do not pay.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pgrehearse.errors import ExpectationError, PgRehearseError
from pgrehearse.text.characters import visible
from pgrehearse.text.document import Document, load
from pgrehearse.text.project import Project

if TYPE_CHECKING:
    from pgrehearse.execution.rehearser import Rehearser
    from pgrehearse.execution.results import DocumentResult

__all__ = ["DocumentFile", "DocumentItem", "MigrationsFolder", "PolicyItem", "dealt"]

T = TypeVar("T")
_REHEARSER = pytest.StashKey["Rehearser"]()
_PROJECT = pytest.StashKey[Project]()
_MAJORS = pytest.StashKey[list[int | None]]()
_LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("pgrehearse", "executable PostgreSQL documents")
    group.addoption(
        "--pg", default="", metavar="MAJORS", help="server majors for documents, such as 15,17, or all"
    )
    group.addoption("--accept", action="store_true", help="write the outputs of this run into the documents")
    group.addoption(
        "--measure",
        action="store_true",
        help="also measure the DDL of each document; compare it with its claims and with evidence/;"
        " refuse a runbook that changed since its rehearsals",
    )
    group.addoption("--pg-server", metavar="URL", help="rehearse on this server and start none")
    group.addoption("--no-policy", action="store_true", help="do not check the migrations against the policy")
    group.addoption(
        "--policy-base",
        metavar="REF",
        help="files that git has at REF are applied: unchanged, and only the others are checked",
    )
    group.addoption("--no-documents", action="store_true", help="do not collect Markdown documents")


def pytest_configure(config: pytest.Config) -> None:
    try:
        config.stash[_PROJECT] = Project.find(config.rootpath)
    except PgRehearseError as error:
        raise pytest.UsageError(str(error)) from None
    wanted, left_out = _majors(config)  # refused here, not once for every document
    config.stash[_MAJORS], config.stash[_LEFT_OUT] = wanted, left_out
    if config.getoption("--accept") and len(wanted) > 1:
        raise pytest.UsageError("--accept writes one server's outputs: name one major with --pg")


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if path != parent.config.stash[_PROJECT].migrations or parent.config.getoption("--no-policy"):
        return None
    return MigrationsFolder.from_parent(parent, path=path)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix != ".md" or parent.config.getoption("--no-documents"):
        return None
    project = parent.config.stash[_PROJECT]
    named = any(Path(realpath(str(arg).split("::")[0])) == file_path for arg in parent.config.args)
    if not named and not any(file_path.is_relative_to(folder) for folder in project.documents):
        return None
    return DocumentFile.from_parent(parent, path=file_path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Beside pytest-xdist: deal documents out, the long ones first, so that the workers end together.

    A worker begins with its share of the list, a run of neighbours. Other tests keep their order.
    """
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    documents = sorted((item for item in items if isinstance(item, DocumentItem)), key=_length, reverse=True)
    if workers > 1:
        items[:] = dealt(documents, [item for item in items if not isinstance(item, DocumentItem)], workers)


def dealt(first: Sequence[T], others: Sequence[T], shares: int) -> list[T]:
    """All, in as many shares: each begins with its part of ``first``, which is dealt out like cards."""
    ends = [len(others) * number // shares for number in range(shares + 1)]
    parts = ((first[one::shares], others[ends[one] : ends[one + 1]]) for one in range(shares))
    return [item for cards, rest in parts for item in (*cards, *rest)]


def _length(item: DocumentItem) -> int:
    """What to expect of a document: a bash cell starts a process, which may start a server."""
    return sum(10 if cell.language == "bash" else 1 for cell in item.document.cells)


def pytest_sessionfinish(session: pytest.Session) -> None:
    rehearser = session.config.stash.get(_REHEARSER, None)
    if rehearser is not None:
        try:
            rehearser.close()
        except PgRehearseError as error:  # an error of this hook would pass for one of pytest
            warnings.warn(str(error), stacklevel=1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counts = {"passed": 0, "failed": 0, "skipped": 0, "notrun": 0}
    reasons: set[str] = set()
    accepted: set[str] = set()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "pgrehearse_cells" and isinstance(value, dict):
                for status, number in value.items():
                    counts[status] += number
            elif name == "pgrehearse_policy":
                terminalreporter.write_line(visible(f"migrations policy: measured {value}"))
            elif name == "pgrehearse_skipped":
                reasons.add(str(value))
            elif name == "pgrehearse_accepted":
                accepted.add(str(value))
    for line in config.stash[_LEFT_OUT]:
        terminalreporter.write_line(line)
    for place in sorted(accepted):
        terminalreporter.write_line(f"accepted {place}")
    if any(counts.values()):
        words = [f"{number} {status}" for status, number in counts.items() if number]
        because = f" ({'; '.join(sorted(reasons))})" if reasons else ""
        terminalreporter.write_line(visible("document cells: " + ", ".join(words) + because))


class DocumentFile(pytest.File):
    """A Markdown file; its items are its executions, one per server major."""

    def collect(self) -> Iterator[pytest.Item]:
        try:
            document = load(self.path)
        except PgRehearseError as error:
            raise self.CollectError(str(error)) from error
        if not document.cells:
            return
        for major in self.config.stash[_MAJORS]:
            name = self.path.stem if major is None else f"{self.path.stem}[pg{major}]"
            yield DocumentItem.from_parent(self, name=name, document=document, major=major)


class DocumentItem(pytest.Item):
    """One document on one server."""

    def __init__(self, *, document: Document, major: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.document = document
        self.major = major

    def runtest(self) -> None:
        rehearser = _rehearser(self.config)
        if self.config.getoption("--accept"):
            result, changed = rehearser.accept(self.document, self.major)
            name = self.config.stash[_PROJECT].relative(self.path)
            self.user_properties += [("pgrehearse_accepted", f"{name}:{line}") for line in changed]
        else:
            result = rehearser.rehearse(self.document, self.major)
        counts = {word: result.count(word) for word in ("passed", "failed", "skipped", "notrun")}
        self.user_properties.append(("pgrehearse_cells", counts))
        for reason in {cell.reason for cell in result.cells if cell.status == "skipped"}:
            self.user_properties.append(("pgrehearse_skipped", reason))
        if not result.green:
            raise _Red(result)
        if self.config.getoption("--measure"):
            self._measure(rehearser)

    def _measure(self, rehearser: Rehearser) -> None:
        from pgrehearse.measurement.evidence import rehearsals
        from pgrehearse.measurement.review import has_facts, review

        if not has_facts(self.document):
            return
        project = self.config.stash[_PROJECT]
        found = review(rehearser, self.document, self.major, project.evidence)
        if not found.green:
            raise ExpectationError(
                "\n".join(finding.head() for finding in (*found.mismatches, *found.changes)),
                next_step="mend the claim; or accept new facts: "
                f"pgrehearse measure --refresh --pg all {project.relative(self.path)}",
            )
        problems = rehearsals.outdated(project, self.document)
        if problems:
            raise ExpectationError(
                "\n".join(problems),
                path=self.path,
                next_step=f"pgrehearse rehearse {self.document.path.stem} --pg all --refresh",
            )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        error = excinfo.value
        if isinstance(error, _Red):
            name = self.config.stash[_PROJECT].relative(self.path)
            return visible("\n".join([error.result.report(name), *error.result.notes]))
        if isinstance(error, PgRehearseError):
            return visible(str(error))
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"document: {self.name}"


class MigrationsFolder(pytest.Directory):
    """The folder of the migrations; its one item is the policy."""

    def collect(self) -> Iterator[pytest.Item]:
        if any(self.path.glob("*.sql")):
            yield PolicyItem.from_parent(self, name="migrations policy")


class PolicyItem(pytest.Item):
    """All migrations against the schema evolution policy, as ``pgrehearse db lint`` checks them."""

    def runtest(self) -> None:
        from pgrehearse.migration.policy.all_checks import check
        from pgrehearse.migration.policy.report import PolicyRequest

        project = self.config.stash[_PROJECT]
        request = PolicyRequest(base=self.config.getoption("--policy-base"), off=project.policy_off)
        report = check(project, request, lambda: _rehearser(self.config).servers.get(None))
        self.user_properties.append(("pgrehearse_policy", report.coverage.said()))
        if report.at_least(project.policy_fails_on):
            said = [problem.text(project.relative) for problem in report.problems]
            raise ExpectationError(
                "\n".join(said), next_step="mend the migrations; pgrehearse db lint checks them"
            )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, PgRehearseError):
            return visible(str(excinfo.value))
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


class _Red(Exception):
    """The document did something else than it says."""

    def __init__(self, result: DocumentResult) -> None:
        super().__init__("the document did something else than it says")
        self.result = result


def _rehearser(config: pytest.Config) -> Rehearser:
    """One rehearser a process: its servers stay warm from document to document."""
    if _REHEARSER not in config.stash:
        from pgrehearse.execution.rehearser import Rehearser
        from pgrehearse.servers import Servers

        servers = Servers(config.getoption("--pg-server"))
        config.stash[_REHEARSER] = Rehearser(config.stash[_PROJECT], servers)
    return config.stash[_REHEARSER]


def _majors(config: pytest.Config) -> tuple[list[int | None], list[str]]:
    """The majors that --pg names, and what it leaves out, in sentences."""
    value = str(config.getoption("--pg"))
    if not value:
        return [None], []
    from pgrehearse.servers import binaries

    try:
        return binaries.named(value)
    except ValueError as error:
        raise pytest.UsageError(f"--pg: {error}") from None
    except PgRehearseError as error:
        raise pytest.UsageError(str(error)) from None
