"""The gates of `rules.GATES`, answered. What cannot be answered is red, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import psycopg

from pgrehearse.connections import connect
from pgrehearse.environments.target import Target
from pgrehearse.errors import PgRehearseError, first_line
from pgrehearse.findings import Finding
from pgrehearse.measurement.words import some
from pgrehearse.migration.runner import versions
from pgrehearse.promotion import backed_up
from pgrehearse.promotion.environments_file import PromotionStep
from pgrehearse.promotion.gate_table import GATES, required
from pgrehearse.promotion.measured import Measured, measured
from pgrehearse.promotion.plan import Member, Plan
from pgrehearse.promotion.quantities import counted, told
from pgrehearse.promotion.reached import different, home
from pgrehearse.promotion.store import Promotion, Store, opened
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project

__all__ = ["GateAnswer", "GateQuestion", "answers"]

_NOW = "SELECT pg_catalog.clock_timestamp()"


@dataclass(frozen=True)
class GateAnswer:
    """What a gate says. ``evidence``: what shows it; ``next_step``: what to do about a red one."""

    gate: str
    green: bool
    evidence: str
    next_step: str = ""

    def to_json(self) -> dict[str, Any]:
        """As PostgreSQL asks for it and keeps it."""
        return {"gate": self.gate, "green": self.green, "evidence": self.evidence, "next": self.next_step}

    @property
    def finding(self) -> Finding:
        """A red gate as what a check found."""
        return Finding(
            self.evidence, kind="gate", check=self.gate, about=f"gate {self.gate}", next_step=self.next_step
        )


@dataclass
class GateQuestion:
    """What the gates are asked about. ``promotion`` is None before anything was requested."""

    project: Project
    step: PromotionStep
    plan: Plan
    migrations: Sequence[Migration]
    before: Sequence[Target]
    store: Store
    promotion: Promotion | None
    tell: Callable[[str], None]

    @cached_property
    def brought(self) -> dict[tuple[str, str], datetime]:
        """What promotions have brought to the environment before, and when: version and hash -> time."""
        if self.step.before is None or self.step.position < 2:
            return {}
        with opened(home(self.step.before).conninfo, "gates") as store:
            store.rules()
            return store.brought()

    @cached_property
    def measured(self) -> Measured:
        """The plan on a disposable server of the target's major."""
        major = self.plan.members[0].target.major
        return measured(self.project, self.migrations, self.plan.migrations, major, self.tell)


def answers(question: GateQuestion) -> list[GateAnswer]:
    """Every gate of the environment, in order."""
    found = []
    for name in required(question.step.environment, question.step.position):
        try:
            found.append(_ANSWERS[name](question))
        except PgRehearseError as error:
            found.append(_red(name, f"cannot be answered: {error.message}", error.next_step or ""))
        except psycopg.Error as error:
            found.append(_red(name, f"cannot be answered: {first_line(error)}", "check the connection"))
    return found


def _green(gate: str, evidence: str) -> GateAnswer:
    return GateAnswer(gate, True, evidence)


def _red(gate: str, evidence: str, next_step: str) -> GateAnswer:
    return GateAnswer(gate, False, evidence, next_step)


# --- the target -------------------------------------------------------------------------------------------


def _ledger(question: GateQuestion) -> GateAnswer:
    planned = {migration.version for migration in question.plan.migrations}
    last = question.plan.migrations[-1].version
    for member in question.plan.members:
        versions.check(member.states)
        other = [one for one in member.pending if one.version <= last and one.version not in planned]
        if other:
            names = some(one.path.stem for one in other)
            return _red(
                "ledger",
                f"pending in {member.name}, and not in the plan: {names}",
                "request the plan that is now: pgrehearse promote request",
            )
        missing = [
            one
            for one in question.plan.migrations
            if not member.has(one) and one.version not in {p.version for p in member.pending}
        ]
        if missing:
            return _red(
                "ledger",
                f"{missing[0].path.stem} is applied in {member.name} by another tool, with an unknown hash",
                "pgrehearse db up takes the hash of what is applied there",
            )
    count, where = len(planned), len(question.plan.members)
    return _green(
        "ledger", f"{counted(count, 'migration')} in the plan, {counted(where, 'database')} looked at"
    )


def _drift(question: GateQuestion) -> GateAnswer:
    """Half a migration looks like drift, so it is not asked again once the first statement was sent."""
    return _asked_before("drift", question) or _no_drift(
        "drift", question, [member.target for member in question.plan.members]
    )


def _backup(question: GateQuestion) -> GateAnswer:
    """From the first statement on, a backup is from before the last migration."""
    if (asked := _asked_before("backup", question)) is not None:
        return asked
    targets = [member.target for member in question.plan.members]
    found = backed_up.look(question.step.environment, targets)
    if found.enough:
        return _green("backup", found.said)
    return _red("backup", found.said, found.next_step)


def _asked_before(gate: str, question: GateQuestion) -> GateAnswer | None:
    """What is asked only as long as nothing was sent; None: nothing was."""
    begun = question.promotion is not None and question.promotion.state in ("applying", "stopped")
    if begun and question.promotion is not None:
        since = [one.started_at for one in question.store.steps(question.promotion.id) if one.started_at]
        if since:
            return _green(gate, f"asked when the first step began, {min(since):%Y-%m-%d %H:%M:%S}")
    return None


def _approvals(question: GateQuestion) -> GateAnswer:
    if question.promotion is None:
        return _red("approvals", "nothing is requested yet", "pgrehearse promote request")
    wanted = question.store.rules().approvals
    given = question.store.approvals(question.promotion.id)
    counted = [one.approved_by for one in given if not one.problem]
    problems = [one.problem for one in given if one.problem]
    said = f"{len(counted)} of {wanted}" + (f": {', '.join(counted)}" if counted else "")
    if wanted and (doubtful := question.store.doubtful()):
        names = ", ".join(f"{person} ({by_what})" for person, by_what in doubtful.items())
        said += f"; could have made themselves approvers: {names}"
    if len(counted) >= wanted:
        return _green("approvals", said)
    return _red(
        "approvals",
        "; ".join([said, *problems]),
        f"an approver looks at it: pgrehearse promote approve {question.step.environment.name}",
    )


# --- the environment before --------------------------------------------------------------------------------


def _applied(question: GateQuestion) -> GateAnswer:
    plan = question.plan.migrations
    for target in question.before:
        different([member.target for member in question.plan.members], target)
        there = Member(target.database, target, tuple(versions.read(target.conninfo, question.migrations)))
        missing = [migration.path.stem for migration in plan if not there.has(migration)]
        if missing:
            return _red(
                "applied",
                f"not applied as the files are in {target.database}: {some(missing)}",
                f"take them to {_before(question)} first",
            )
    return _green("applied", f"{counted(len(plan), 'migration')} in {_before(question)}, with the same hash")


def _promoted(question: GateQuestion) -> GateAnswer:
    past = [
        one.path.stem for one in question.plan.migrations if (one.version, one.sha256) not in question.brought
    ]
    if past:
        return _red(
            "promoted",
            f"no promotion to {_before(question)} has brought: {some(past)}",
            "look who applied them there; where that was before there were promotions: without ="
            ' ["promoted"] in environments.toml, for this once',
        )
    return _green("promoted", f"by promotions of {_before(question)}")


def _smoke(question: GateQuestion) -> GateAnswer:
    # Half of all modules come of what two gates look at: only they pay for it.
    from pgrehearse.migration.smoke import contract
    from pgrehearse.migration.smoke import smoke as contract_run
    from pgrehearse.migration.smoke.smoke import SmokeOptions

    promised = contract.load(question.project.seed.with_name("smoke.sql"))
    tried = 0
    for target in question.before:
        report = contract_run.run(
            target.conninfo, promised, SmokeOptions(read_only=True, statement_timeout="5s")
        )
        if report.findings:
            said = report.findings[0].said
            more = f", and {len(report.findings) - 1} more" if len(report.findings) > 1 else ""
            return _red(
                "smoke",
                f"{target.database} does not keep db/smoke.sql: {said}{more}",
                "pgrehearse db smoke --read-only there says all of it",
            )
        tried += report.tried + report.looked_up
    return _green("smoke", f"{tried} entries of db/smoke.sql kept in {_before(question)}")


def _soak(question: GateQuestion) -> GateAnswer:
    """Since the step of a promotion, which nobody can rewrite, and not only since what the ledger says."""
    wanted = question.step.environment.soak
    if "promoted" not in required(question.step.environment, question.step.position):
        question.brought = {}
    shortest: timedelta | None = None
    for target in question.before:
        with connect(target.conninfo, autocommit=True) as connection:
            row = connection.execute(_NOW).fetchone()
        assert row is not None
        states = versions.read(target.conninfo, question.migrations)
        at = {one.version: one.at for one in states if one.state == "applied"}
        for migration in question.plan.migrations:
            told_there = [
                at.get(migration.version),
                question.brought.get((migration.version, migration.sha256)),
            ]
            since = max((one for one in told_there if one is not None), default=None)
            if since is None:
                there = migration.version in at
                return _red(
                    "soak",
                    f"{target.database} does not say when {migration.path.stem} was applied"
                    if there
                    else f"{migration.path.stem} is not applied in {target.database}",
                    "another tool applied it; pgrehearse db up there writes a ledger"
                    if there
                    else f"take it to {_before(question)} first",
                )
            lived = row[0] - since
            if lived < timedelta():
                return _red(
                    "soak",
                    f"by the clock of its server, {migration.path.stem} will be applied in the future in"
                    f" {target.database}",
                    "the clock there was set back: set it right, then wait",
                )
            shortest = lived if shortest is None else min(shortest, lived)
    assert shortest is not None
    said = f"{told(shortest)} of {told(wanted)} in {_before(question)}"
    if shortest < wanted:
        return _red("soak", said, f"wait for {told(wanted - shortest)}")
    return _green("soak", said)


def _drift_before(question: GateQuestion) -> GateAnswer:
    return _no_drift("drift-before", question, question.before)


# --- both --------------------------------------------------------------------------------------------------


def _no_drift(gate: str, question: GateQuestion, targets: Sequence[Target]) -> GateAnswer:
    from pgrehearse.migration.drift.comparisons import live_against_migrations  # as in `_smoke`
    from pgrehearse.migration.drift.live import look

    roles = question.project.migrations.parent / "roles.sql"
    notes: list[str] = []
    for target in targets:
        live = look(target.conninfo)
        if live.applied is None and gate == "drift":
            notes.append(f"{target.database} has no ledger yet")
            continue
        found = live_against_migrations(
            target.conninfo,
            live,
            question.migrations,
            roles,
            target.major,
            ignore=question.project.drift_ignore,
        )
        if found.drift:
            return _red(
                gate,
                f"{target.database} is not what its migrations make: {some(found.drift.objects)}",
                "pgrehearse db check there says all of it",
            )
    return _green(gate, "; ".join([f"{counted(len(targets), 'database')} compared", *notes]))


def _rehearsal(question: GateQuestion) -> GateAnswer:
    found = question.measured
    if found.failed:
        return _red("rehearsal", f"PostgreSQL {found.server}: {found.failed}", "mend the migration")
    return _green("rehearsal", f"applied in {found.milliseconds:.0f} ms on PostgreSQL {found.server}")


def _policy(question: GateQuestion) -> GateAnswer:
    found = question.measured
    if found.findings:
        more = f", and {len(found.findings) - 1} more" if len(found.findings) > 1 else ""
        return _red("policy", f"{found.findings[0]}{more}", "pgrehearse db lint says all of it")
    if found.not_measured:
        return _red("policy", f"not all was checked: {found.not_measured}", "pgrehearse db lint")
    return _green(
        "policy",
        f"{counted(len(found.statements), 'statement')} measured on PostgreSQL {found.server}, nothing found",
    )


def _before(question: GateQuestion) -> str:
    return question.step.before.name if question.step.before else ""


_ANSWERS: Mapping[str, Callable[[GateQuestion], GateAnswer]] = {
    "ledger": _ledger,
    "applied": _applied,
    "promoted": _promoted,
    "smoke": _smoke,
    "soak": _soak,
    "drift-before": _drift_before,
    "drift": _drift,
    "rehearsal": _rehearsal,
    "policy": _policy,
    "backup": _backup,
    "approvals": _approvals,
}
assert set(_ANSWERS) == set(GATES), "every gate has an answer"
