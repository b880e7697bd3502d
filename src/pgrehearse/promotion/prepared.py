"""Everything a command about one environment begins with: its databases, its rules, its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pgrehearse.environments.target import Target
from pgrehearse.errors import SetupError
from pgrehearse.promotion import reached
from pgrehearse.promotion.environments_file import PromotionStep
from pgrehearse.promotion.gate_table import prefix, required
from pgrehearse.promotion.gates import GateQuestion
from pgrehearse.promotion.plan import Member, Plan, files_of, looked_at, member, pending
from pgrehearse.promotion.store import Promotion, Store, opened
from pgrehearse.promotion.visits import Visits
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project

__all__ = ["Prepared", "agreed", "prepared"]


@dataclass(frozen=True)
class Prepared:
    """One environment, looked at.

    Attributes:
        home: the database that keeps its promotions.
        members: what is asked for now; for a promotion that is open, see `databases_of`.
        current: the promotion that is open.
    """

    project: Project
    step: PromotionStep
    migrations: Sequence[Migration]
    home: Target
    store: Store
    current: Promotion | None

    def question(self, plan: Plan, group: str | None, tell: Callable[[str], None]) -> GateQuestion:
        """What the gates are asked about ``plan``."""
        before: list[Target] = []
        if self.step.before is not None:
            same = group if group in self.step.before.groups else None
            before = reached.members(self.step.before, same)
        return GateQuestion(
            self.project, self.step, plan, self.migrations, before, self.store, self.current, tell
        )

    def pending(self, group: str | None) -> Plan:
        """The plan of all that is pending now. Raises SetupError: nothing is."""
        names = reached.names(self.step.environment, group) if group else [self.home.database]
        return pending(self.step.environment.name, reached.each(names, self._member))

    def requested(self, promotion: Promotion) -> Plan:
        """The plan of ``promotion``, with the files as they are. Raises ExpectationError: they changed."""
        steps = self.store.steps(promotion.id)
        migrations = files_of(steps, self.migrations)
        names = {record.target: record.database for record in steps}
        skipped = Visits(self.store.connection).skipped(promotion.id)
        wanted = [name for number, name in names.items() if number not in skipped]
        members = reached.each(wanted, self._member)
        return Plan(self.step.environment.name, migrations, tuple(members), tuple(names.values()))

    def group_of(self, plan: Plan) -> str | None:
        """The group that ``plan`` is for, None for the environment's own database."""
        groups = self.step.environment.groups.items()
        return next((name for name, of in groups if of == plan.databases), None)

    def _member(self, name: str) -> Member:
        if name == self.home.database:
            return member(name, self.home, self.migrations)
        return looked_at(self.step.environment, name, self.migrations)


@contextmanager
def prepared(
    project: Project, step: PromotionStep, migrations: Sequence[Migration], what: str
) -> Iterator[Prepared]:
    """Connect to the environment, for ``pgrehearse promote what``. Raises SetupError."""
    home = reached.home(step.environment)
    with opened(home.conninfo, what) as store:
        agreed(store, step)
        yield Prepared(project, step, migrations, home, store, store.current())


def agreed(store: Store, step: PromotionStep) -> None:
    """Raise SetupError unless the rules installed there are those of the file."""
    rules, wanted = store.rules(), step.environment
    differences = [
        f"{what}: {there} there, {here} in environments.toml"
        for what, there, here in (
            ("environment", rules.environment, wanted.name),
            ("roles", rules.prefix, prefix(wanted)),
            ("approvals", str(rules.approvals), str(wanted.approvals)),
            ("gates", " ".join(rules.gates), " ".join(required(wanted, step.position))),
        )
        if there != here
    ]
    if differences:
        raise SetupError(
            f"refused: the rules of {wanted.name} are not those of the file: {'; '.join(differences)}",
            path=step.file,
            line=wanted.line,
            next_step=f"when the file is right: pgrehearse promote install {wanted.name}",
        )
