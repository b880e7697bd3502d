"""One way through the files: what was seen of each, judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg

from pgrehearse.errors import DocumentError, PgRehearseError, SetupError, first_line
from pgrehearse.findings import Finding
from pgrehearse.measurement.xray_steps import steps
from pgrehearse.migration.policy import breaking, comments, cost_checks
from pgrehearse.migration.policy.cost_checks import MeasuredStatement
from pgrehearse.migration.policy.judged_file import File, Written
from pgrehearse.migration.policy.memory import Memory
from pgrehearse.migration.policy.playback import Failed, Playback
from pgrehearse.migration.policy.register import broken, unjudged
from pgrehearse.migration.policy.report import PolicyReport, PolicyRequest
from pgrehearse.migration.policy.seen import Seen, look
from pgrehearse.text.project import Project
from pgrehearse.troubles import elsewhere

__all__ = ["PolicyRun"]


class PolicyRun:
    """One way through the files. A database is made where something is not remembered."""

    def __init__(
        self,
        project: Project,
        request: PolicyRequest,
        start: Callable[[], Playback],
        report: PolicyReport,
        read: Sequence[File],
        todo: Sequence[File],
        progress: Callable[[str], None],
    ) -> None:
        self.project, self.request, self.report, self.progress = project, request, report, progress
        self.read, self.todo = read, todo
        self.memory = Memory(project, request, read)
        self._start = start
        self._stage: Playback | None = None
        self._done = 0  # files that the stage has carried out
        self._stuck = False

    def through(self) -> None:
        """Judge the files of ``todo`` in order, until one does not run."""
        made: list[tuple[File, list[tuple[Written, comments.Made]]]] = []
        end: comments.Objects = ()
        for number, file in enumerate(self.read):
            if file not in self.todo:
                continue
            if file.unreadable:
                self.report.coverage.leave(file.migration.label, "a runner cannot send it", len(file.up))
                continue
            seen = self._seen(number, file)
            if seen is None:
                self._left(self.read[number:], self.read[self._done])
                break
            end = seen.end
            made.append((file, comments.made_by(seen.objects)))
            if not self._judge(file, seen):
                self._left(self.read[number + 1 :], file)
                break
        else:
            if (
                self.read[-1] not in self.todo or self.read[-1].unreadable
            ):  # it may comment on what is checked
                with self._at(len(self.read)).client() as client:
                    end = comments.read(client)
        for file, things in made:
            self.report.problems += comments.check(file, things, end)

    def _seen(self, number: int, file: File) -> Seen | None:
        """What a database shows of ``file``; None: a file before it does not run."""
        seen = self.memory.recalled(number)
        if seen is not None:
            self.report.coverage.remembered += sum(row.facts is not None for row in seen.rows)
            return seen
        stage = self._at(number)
        if self._stuck:
            return None
        self.progress(file.migration.label)
        with _placed(file):
            seen = look(stage, file)
        self._done = number + 1
        self.memory.keep(number, seen)
        return seen

    def _judge(self, file: File, seen: Seen) -> bool:
        """Add the problems of ``file``; whether it runs."""
        report, name = self.report, file.migration.label
        every = len(steps(file.migration.path))
        report.coverage.leave(name, "COMMENT ON and SET keep nobody waiting", every - len(seen.rows))
        report.rows[name] = seen.rows
        report.coverage.measured += sum(row.facts is not None for row in seen.rows)
        for row in seen.rows:
            if row.facts is None:
                report.coverage.leave(f"{name}:{row.step.line}", row.left or row.error, 1)
        report.empty |= seen.empty
        report.made |= seen.made
        report.notes += [note for note in seen.notes if note not in report.notes]
        report.problems += cost_checks.check(
            file, MeasuredStatement(seen.rows, seen.known, seen.tables, report.server, seen.empty)
        )
        if seen.failed is not None:
            if not any(row.error for row in seen.rows):
                report.problems.append(_refused(file, seen.failed))
            return False
        changes = self.project.changes
        report.problems += breaking.check(file, seen.interfaces, changes, self.project.relative(changes))
        return True

    def _at(self, number: int) -> Playback:
        """The stage, with the files before ``number`` carried out."""
        if self._stage is None:
            self._stage = self._start()
        while self._done < number and not self._stuck:
            file = self.read[self._done]
            chosen = file in self.todo
            if chosen or self.request.schema is None:  # else the dump holds it
                self._stuck = not self._pass(self._stage, file, chosen=chosen)
            self._done += not self._stuck
        return self._stage

    def _pass(self, stage: Playback, file: File, *, chosen: bool) -> bool:
        """Carry out a file that is applied, or that no runner could send: as psql would."""
        if chosen and not file.unreadable:
            return stage.apply(file) is None
        failed = stage.replay(file.migration)
        if failed is None:
            return True
        if not chosen and file.migration.version < self.todo[-1].migration.version:
            raise DocumentError(
                f"this applied migration does not run on an empty database: {failed.said}",
                path=file.migration.path,
                line=failed.line,
                next_step=elsewhere(
                    failed.said, "start from a dump instead: --schema FILE, what pg_dump -s wrote"
                ),
            )
        return False  # or it is later than what is checked: only a COMMENT ON of it could matter

    def _left(self, rest: Sequence[File], broken: File) -> None:
        """Nothing is known of the files after one that does not run."""
        for file in rest:
            if file in self.todo and file is not broken and not file.unreadable:
                name = file.migration.label
                reason = f"{broken.migration.label} before it does not run"
                self.report.coverage.leave(name, reason, len(file.up))
                self.report.problems.append(
                    unjudged(file.migration.path, file.migration.up.line, f"not judged, for {reason}")
                )


@contextmanager
def _placed(file: File) -> Iterator[None]:
    """What goes wrong meanwhile names ``file``."""
    path, line = file.migration.path, file.migration.up.line
    try:
        yield
    except PgRehearseError as error:
        if error.path is not None:
            raise
        raise type(error)(error.message, path=path, line=line, next_step=error.next_step) from error
    except psycopg.OperationalError as error:
        raise SetupError(
            f"the session in which this was measured has ended: {first_line(error)}",
            path=path,
            line=line,
            next_step="take out what ends sessions; if nothing does, the server's log says why",
        ) from error


def _refused(file: File, failed: Failed) -> Finding:
    return broken(
        "runnable",
        file.migration.path,
        failed.line,
        f"fails on the state the earlier files leave: {failed.said} ({failed.sqlstate})",
        elsewhere(failed.said, "mend the statement"),
        failed.sql,
    )
