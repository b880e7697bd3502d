"""What may be done in which environment: the one table that commands, notebooks and servers read.

The reference page on environments is generated from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from pgrehearse.environments.names import ENVIRONMENTS
from pgrehearse.errors import SetupError

__all__ = ["RULES", "Operation", "Rule", "Verdict", "demand", "verdict"]


class Operation(Enum):
    """What somebody wants to do with a database, or with the server it is on."""

    REHEARSE = auto()
    OPEN_GUIDE = auto()
    RUN_NOTEBOOK_CELL = auto()
    RUN = auto()
    CHANGE = auto()
    RUN_UNATTENDED = auto()
    RUN_CHECKS_UNATTENDED = auto()
    APPLY_MIGRATIONS = auto()
    UNDO_MIGRATIONS = auto()
    LOG_DDL = auto()
    SMOKE = auto()
    LOAD = auto()
    READ = auto()
    INSTALL_PROMOTION = auto()
    PROMOTE = auto()
    KEEP_BACKUP = auto()
    LOWER_MARK = auto()


class Verdict(Enum):
    """``ASKED``: only when the operator says so beyond the command itself."""

    ALLOWED = "allowed"
    ASKED = "asked"
    REFUSED = "refused"


@dataclass(frozen=True)
class Rule:
    """One row.

    Attributes:
        what: the operation, as the reference page calls it.
        verdicts: by environment.
        why: one sentence.
        refusal: what the operator reads when it is refused, or asked and not answered. ``{database}``,
            ``{environment}`` and ``{allowed}``, the environments that need no asking, are filled in.
        next_step: what to do then, filled in likewise.
    """

    what: str
    verdicts: Mapping[str, Verdict]
    why: str
    refusal: str = ""
    next_step: str = ""


def demand(operation: Operation, environment: str, database: str, *, said: bool = False) -> None:
    """Raise SetupError unless ``operation`` may be done in ``environment``.

    Args:
        database: what messages call the database.
        said: the operator has said what an asked one needs.
    """
    rule, found = RULES[operation], verdict(operation, environment)
    if found is Verdict.ALLOWED or (found is Verdict.ASKED and said):
        return
    allowed = ", ".join(name for name in ENVIRONMENTS if rule.verdicts[name] is Verdict.ALLOWED)
    words = {"database": database, "environment": environment, "allowed": allowed}
    raise SetupError(rule.refusal.format(**words), next_step=rule.next_step.format(**words))


def verdict(operation: Operation, environment: str) -> Verdict:
    """The entry of the table; a name that is not in it may do only what production may."""
    verdicts = RULES[operation].verdicts
    return verdicts.get(environment, verdicts[ENVIRONMENTS[-1]])


def _by_environment(*verdicts: Verdict) -> Mapping[str, Verdict]:
    return dict(zip(ENVIRONMENTS, verdicts, strict=True))


_A, _Q, _R = Verdict.ALLOWED, Verdict.ASKED, Verdict.REFUSED
_NOT_SAID = "refused: {database!r} is {environment}, and that was not said"
_SAY_IT = "say --environment {environment}"

RULES: Mapping[Operation, Rule] = {
    Operation.REHEARSE: Rule(
        "rehearse, test, measure or record on the server (`PGREHEARSE_SERVER`, `--server`)",
        _by_environment(_A, _A, _A, _R, _R),
        "A rehearsal makes databases of its own, breaks them and loads the whole server.",
        "the database at {database} is marked {environment!r}; rehearsals use only {allowed}",
        "unset PGREHEARSE_SERVER to use a server started for the run, or name another one",
    ),
    Operation.OPEN_GUIDE: Rule(
        "open a guide as a notebook (`%rehearsal`)",
        _by_environment(_A, _A, _A, _R, _R),
        "A guide breaks things to show how they break.",
        "refused: {database!r} is marked {environment!r}, and a guide breaks things to show how they break",
        "use a database marked {allowed}",
    ),
    Operation.RUN_NOTEBOOK_CELL: Rule(
        "run a cell of a runbook's notebook",
        _by_environment(_A, _A, _A, _A, _Q),
        '"Run all" asks before no step, so the notebook must name production: `production = "its name"`.',
        "refused: {database!r} is {environment}",
        "name it, then run the cells one by one: production = {database!r}",
    ),
    Operation.RUN: Rule(
        "`run` a runbook",
        _by_environment(_Q, _Q, _Q, _Q, _Q),
        "The operator reads each step that changes something, with its values, and confirms it.",
    ),
    Operation.CHANGE: Rule(
        "`run` of Apply or Roll back",
        _by_environment(_A, _A, _A, _A, _Q),
        "The name of the database is typed first: whatever answers every question with yes does not know it.",
        "refused: {database!r} is {environment}, and its name was not typed",
        "check --dsn, and type {database!r} when you are asked",
    ),
    Operation.RUN_UNATTENDED: Rule(
        "`run --yes`",
        _by_environment(_A, _A, _A, _A, _R),
        "Nobody reads the steps before they change something.",
        "refused: --yes on {database!r}, which is {environment}",
        "leave out --yes and confirm each step; --phase preflight or verify may run unattended",
    ),
    Operation.RUN_CHECKS_UNATTENDED: Rule(
        "`run --yes` of Preflight and Verify only",
        _by_environment(_A, _A, _A, _A, _A),
        "These phases only look.",
    ),
    Operation.APPLY_MIGRATIONS: Rule(
        "`db up`",
        _by_environment(_A, _A, _A, _A, _Q),
        "A DSN left over in a shell must not change production: `--environment production` names it.",
        _NOT_SAID,
        _SAY_IT,
    ),
    Operation.UNDO_MIGRATIONS: Rule(
        "`db rollback`",
        _by_environment(_A, _A, _A, _R, _R),
        "A down part deletes what came since; staging shows what production will do.",
        "refused: {database!r} is {environment}; a down part deletes what came since",
        "write a new migration; see the guide roll-back-migrations, part production",
    ),
    Operation.LOG_DDL: Rule(
        "`db check --install-log`, `--remove-log`",
        _by_environment(_A, _A, _A, _A, _Q),
        "An event trigger is made or dropped: `--environment production` names production.",
        _NOT_SAID,
        _SAY_IT,
    ),
    Operation.SMOKE: Rule(
        "`db smoke`",
        _by_environment(_A, _A, _A, _R, _R),
        "The contract writes, then undoes it; until then its locks keep others waiting.",
        "refused: {database!r} is {environment}, and the contract writes, then undoes it",
        "say --read-only",
    ),
    Operation.LOAD: Rule(
        "`pool size`",
        _by_environment(_A, _A, _R, _R, _R),
        "The load takes all the server has, and the transactions of a mix are committed.",
        "refused: {database!r} is {environment}, and the load takes all its server has",
        "restore a copy on a machine of the same size, mark it {allowed}, and measure that",
    ),
    Operation.READ: Rule(
        "`db status`, `check`, `timing`, `smoke --read-only`, `up --dry-run`, `promote plan`, `status`,"
        " `backup status`",
        _by_environment(_A, _A, _A, _A, _A),
        "Nothing is written.",
    ),
    Operation.INSTALL_PROMOTION: Rule(
        "`promote install`",
        _by_environment(_A, _A, _A, _A, _A),
        "It names its environment and touches no table of the application; PostgreSQL asks for CREATEROLE.",
    ),
    Operation.PROMOTE: Rule(
        "`promote request`, `approve`, `apply`, `cancel`",
        _by_environment(_A, _A, _A, _A, _A),
        "Gates and roles decide, inside PostgreSQL; the command names its environment.",
    ),
    Operation.KEEP_BACKUP: Rule(
        "`backup take`, `verify`",
        _by_environment(_A, _A, _A, _A, _Q),
        "A row of ours is written, and all of it is read: `--environment production` names production.",
        _NOT_SAID,
        _SAY_IT,
    ),
    Operation.LOWER_MARK: Rule(
        "`environment set` to a less protected name",
        _by_environment(_A, _Q, _Q, _Q, _Q),
        "A mark lowered by mistake opens every other row; `--replace` names what it is now.",
        "refused: {database!r} is {environment}, which is more protected",
        "if it is that no more, say so: --replace {environment}",
    ),
}
