"""Measure every statement of a file, each on the state the earlier ones left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pgrehearse.errors import DocumentError
from pgrehearse.execution.maker import Maker
from pgrehearse.measurement import untaken
from pgrehearse.measurement.advice import advice
from pgrehearse.measurement.statement import observing, transactional
from pgrehearse.measurement.statement import relations as catalogs
from pgrehearse.measurement.statement.client import Client, Clones
from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.measurement.statement.measure import measure
from pgrehearse.measurement.statement.measured_session import MeasuredSession
from pgrehearse.measurement.statement.relations import Catalog
from pgrehearse.measurement.untaken import Untaken, unseen
from pgrehearse.measurement.unwatched import found_nothing
from pgrehearse.measurement.xray_rows import Row, StillHeld
from pgrehearse.measurement.xray_steps import FileStatement, bound, ends, opens, stands_alone
from pgrehearse.servers.base import Server
from pgrehearse.text.statement import Kind, classify

__all__ = ["Xray", "xray"]

_UNSEEN = "it runs, but cannot be observed in its transaction, so it is not measured"


@dataclass(frozen=True)
class Xray:
    """The rows of a file, and the tables of the prepared database that held no row.

    ``known``: relations that were there before, by all the names that the file gave them.
    """

    rows: tuple[Row, ...]
    empty: tuple[str, ...]
    known: frozenset[str] = frozenset()


def xray(
    server: Server,
    template: str,
    todo: Sequence[FileStatement],
    *,
    progress: Callable[[int], None] = lambda done: None,
    repeated: Callable[[str], bool] = lambda statement: False,
    settings: Sequence[str] = (),
    used_up: bool = False,
) -> Xray:
    """Measure ``todo`` on clones of ``template``, which is left as it is; see `measure` for both arguments.

    After a statement that fails the rest is not measured: it would run in a state that cannot be.
    ``progress`` is told how many statements are done.

    Args:
        repeated: whether a statement is left out, because what it does was done in another database.
        settings: SET statements that hold from the beginning.
        used_up: ``template`` is nobody's any more, and may be worked on.

    Raises:
        SetupError: the database cannot be cloned.
    """
    maker = Maker(server)
    try:
        with Clones(server, template, maker) as clones:
            if not used_up:
                clones.template = clones.create()
            with Client(server.dsn(clones.template)) as client:
                catalog = catalogs.read(client)
                empty = _empty(client, catalog)
            run = _Run(clones, catalog, progress, repeated)
            run.settings += settings
            run.untaken, run.limits = untaken.look(clones, todo, run.leaves, settings)
            try:
                rows = run.all(todo)
            finally:
                run.close()
    finally:
        maker.close()
    return Xray(tuple(rows), tuple(sorted(empty)), frozenset(run.known))


def _empty(client: Client, catalog: Catalog) -> list[str]:
    each = [f"SELECT {t.oid} WHERE NOT EXISTS (SELECT FROM {t.name})" for t in catalog.tables()]
    rows = client.rows(" UNION ALL ".join(each)) if each else []
    return [catalog.relations[oid].name for (oid,) in rows]


class _Run:
    """Measures statements one after another. The template of ``clones`` is the state they are at."""

    def __init__(
        self,
        clones: Clones,
        catalog: Catalog,
        progress: Callable[[int], None],
        repeated: Callable[[str], bool],
    ) -> None:
        self.clones = clones
        self.known = {relation.name for relation in catalog.relations.values()}
        self._partitioned = {one.name for one in catalog.relations.values() if one.kind == "p"}
        self._defaults = {one.name for one in catalog.relations.values() if one.default}
        self.progress = progress
        self.repeated = repeated
        self.settings: list[str] = []
        self.rows: list[Row] = []
        self.untaken: Mapping[int, Sequence[Untaken]] = {}
        self.limits: Mapping[int, float] = {}
        self._session: MeasuredSession | None = None

    def all(self, todo: Sequence[FileStatement]) -> list[Row]:
        position = 0
        while position < len(todo) and not any(row.error for row in self.rows):
            block = todo[position].block
            end = position + 1
            while block and end < len(todo) and todo[end].block == block:
                end += 1
            group = todo[position:end]
            if block and not (len(group) == 1 and stands_alone(group[0])):
                self._transaction(group)
            else:
                self._alone(group[0])
            position = end
        stopped = "not measured: an earlier statement failed"
        return self.rows + [Row(step, error=stopped) for step in todo[len(self.rows) :]]

    def leaves(self, step: FileStatement) -> bool:
        """Whether ``step`` is not run."""
        return bool(_unmeasurable(step, classify(step.statement))) or self.repeated(step.statement)

    def close(self) -> None:
        """Leave the database."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _take(self, row: Row) -> None:
        if row.facts is not None:
            missing = unseen(self.untaken.get(len(self.rows), ()), row.facts)
            missing += found_nothing(row.step.statement, row.facts)
            row = replace(row, unseen=missing, lock_timeout=self.limits.get(len(self.rows)))
        self.rows.append(row)
        self.progress(len(self.rows))

    def _alone(self, step: FileStatement) -> None:
        kind = classify(step.statement)
        if reason := _unmeasurable(step, kind):
            self._take(Row(step, left=reason))
            return
        if self.repeated(step.statement):
            self._take(Row(step, Facts()))
            return
        if self._session is None:
            self._session = MeasuredSession(self.clones, self.clones.template, self.settings)
        session = self._session
        try:
            facts = session.alone(step.statement, step.rows)
        except DocumentError as error:
            self._take(Row(step, error=error.message))
            return
        if facts is None and not step.block and transactional.refuses(session.client):
            facts = self._without_transaction(step)
        elif facts is None:
            self._take(Row(step, error=f"{session.client.reason} ({session.client.sqlstate})"))
            return
        if kind.settings and kind.of_the_session:
            self.settings.append(step.statement)
        if facts is not None:
            self._take(self._row(step, facts, StillHeld()))

    def _without_transaction(self, step: FileStatement) -> Facts | None:
        """Measure a statement that refuses a transaction, on clones, and carry it out; None: it failed."""
        self.close()
        facts = measure(self.clones.server, self.clones.template, step.statement, setup=self.settings)
        session = MeasuredSession(self.clones, self.clones.template, self.settings)
        self._session = session
        if not session.plainly(step.statement):
            self._take(Row(step, error=f"{session.client.reason} ({session.client.sqlstate})"))
            return None
        return facts

    def _transaction(self, group: Sequence[FileStatement]) -> None:
        """Measure the statements of one transaction, each by itself where it can stand by itself.

        First all are run as they stand, which tells what fails, and what the state is afterwards.
        """
        self.close()
        origin = self.clones.template
        after = self.clones.create()
        failed = self._as_it_stands(after, group)
        measured = group if failed is None else group[: failed[0]]
        facts: list[Facts | None] = []
        if not any(map(bound, group)):
            facts += self._each(origin, measured)
        if len(facts) < len(measured):
            facts += self._inside(origin, measured, len(facts))
        held = StillHeld()
        for step, one in zip(measured, facts, strict=True):
            left = _unmeasurable(step, classify(step.statement))
            if one is None:
                left = left or _UNSEEN
            row = Row(step, left=left) if left or one is None else self._row(step, one, held)
            self._take(row)
            held.add(row)
        if failed is not None:
            self._take(Row(group[failed[0]], error=failed[1]))
        if group[0].kept and failed is None:
            self.clones.template = after
            self.clones.drop(origin)
        else:
            self.clones.drop(after)

    def _as_it_stands(self, database: str, group: Sequence[FileStatement]) -> tuple[int, str] | None:
        """Run ``group`` in its transaction: number and error of the first that fails."""
        with Client(self.clones.server.dsn(database)) as client:
            observing.prepare(client, self.settings)
            if not opens(group[0]):
                client.run("BEGIN")
            for number, step in enumerate(group):
                if _unmeasurable(step, classify(step.statement)) or self.repeated(step.statement):
                    continue
                try:
                    refused = client.run(step.statement, step.rows)
                except DocumentError as error:
                    return number, error.message
                if refused:
                    return number, f"{client.reason} ({client.sqlstate})"
            if not ends(group[-1]) and client.run("COMMIT" if group[0].kept else "ROLLBACK"):
                return len(group) - 1, f"{client.reason} ({client.sqlstate})"
        return None

    def _each(self, origin: str, group: Sequence[FileStatement]) -> list[Facts]:
        """Facts of each statement by itself, to the first that cannot stand by itself."""
        found: list[Facts] = []
        name = self.clones.create(origin)
        with MeasuredSession(self.clones, name, self.settings) as session:
            for step in group:
                kind = classify(step.statement)
                facts: Facts | None = Facts()
                if not (kind.control or _unmeasurable(step, kind) or self.repeated(step.statement)):
                    facts = session.alone(step.statement, step.rows)
                if facts is None:
                    break
                found.append(facts)
                self._renamed(session)
        self.clones.drop(name)
        return found

    def _inside(self, origin: str, group: Sequence[FileStatement], start: int) -> list[Facts | None]:
        """Facts of the statements from ``start`` on, in their transaction; None: it cannot be observed."""
        found: list[Facts | None] = []
        name = self.clones.create(origin)
        with MeasuredSession(self.clones, name, self.settings) as session:
            if not opens(group[0]):
                session.client.run("BEGIN")
            for number, step in enumerate(group):
                kind = classify(step.statement)
                facts: Facts | None = Facts()
                if _unmeasurable(step, kind) or self.repeated(step.statement):
                    pass
                elif kind.control or number < start:
                    session.client.run(step.statement, step.rows)
                else:
                    facts = session.inside(step.statement, step.rows)
                found.append(facts)
                if facts is None:  # nothing runs any more in this transaction
                    break
        self.clones.drop(name)
        return [*found, *[None] * (len(group) - len(found))][start:]

    def _renamed(self, session: MeasuredSession) -> None:
        """A table that was there before is known by its new name, too."""
        for oid, relation in session.catalog.relations.items():
            first = session.first.get(oid)
            if first is not None and first in self.known:
                self.known.add(relation.name)

    def _row(self, step: FileStatement, facts: Facts, held: StillHeld) -> Row:
        """What ``facts`` mean while what ``held`` names waits for earlier statements of the transaction."""
        if classify(step.statement).control:
            return Row(step, facts)
        own = {table: probes for table, probes in facts.waits.items() if table in self.known}
        waits, through = held.and_also(own, facts.through)
        rewrites = tuple(name for name in facts.rewrites if name in self.known)
        partitioned = bool(self._partitioned & facts.locks.keys())
        row = Row(
            step,
            facts,
            partitioned=partitioned,
            default=next((name for name in facts.locks if name in self._defaults), ""),
            through=through,
            waits=waits,
            own=tuple(sorted(own)),
            once_unused=tuple(name for name in facts.once_unused if name in self.known),
            rewrites=rewrites,
            stalls=tuple(name for name in facts.scans if name in dict(waits)),
        )
        if row.in_turn:
            row = replace(row, stalls=())
        harmless = not waits and not rewrites
        page = advice(step.statement, facts, harmless=harmless, partitioned=partitioned)
        return replace(row, advice=page)


def _unmeasurable(step: FileStatement, kind: Kind) -> str:
    """Why ``step`` is neither run nor measured; empty if it is."""
    if kind.outside:
        return f"{kind.called} acts beyond its database, so it is not measured"
    return ""
