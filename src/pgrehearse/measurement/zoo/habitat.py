"""A shape on a server: its roles and its database, copies of it, and what it becomes without a runbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from pgrehearse.clock import now
from pgrehearse.connections import Connection, connect
from pgrehearse.errors import DocumentError, first_line
from pgrehearse.execution.maker import Maker
from pgrehearse.measurement.zoo.application import Application, Key
from pgrehearse.measurement.zoo.shapes import Shape
from pgrehearse.measurement.zoo.subscriber import subscribed
from pgrehearse.schema.contents import Contents, state_of
from pgrehearse.servers import Server
from pgrehearse.text.variables import quote_identifier, quote_literal

__all__ = ["APPLICATION", "OWNER", "ROUNDS", "ROUNDS_FORWARD", "Habitat", "Zoo"]

#: Who owns the database and its tables, and who uses them. Neither is a superuser.
OWNER, APPLICATION = "zoo_owner", "zoo_application"
#: Rounds of requests before Roll back, and in all: the same number for every pair, so that one copy without
#: a runbook serves for all of them.
ROUNDS_FORWARD, ROUNDS = 12, 15
_ROLES = f"""
CREATE ROLE {OWNER} LOGIN;
CREATE ROLE {APPLICATION} LOGIN;
"""
#: What an application has: all rights on rows, none on tables.
_RIGHTS = f"""
DO $$
DECLARE home name;
BEGIN
  FOR home IN SELECT nspname FROM pg_catalog.pg_namespace
               WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {APPLICATION}', home);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO {APPLICATION}', home);
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO {APPLICATION}', home);
  END LOOP;
END $$
"""


class Zoo:
    """A server with the roles of the zoo; a context manager that leaves nothing behind.

    ``server`` must be one of ours: its roles have fixed names, which the words of a refusal may hold.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self._stack = ExitStack()

    def __enter__(self) -> Zoo:
        with self._stack as stack:
            self.watch: Connection = stack.enter_context(connect(self.server.dsn(), autocommit=True))
            self.watch.execute(_ROLES.encode())
            stack.callback(self.watch.execute, f"DROP ROLE {OWNER}, {APPLICATION}".encode())
            self.maker = Maker(self.server)
            stack.callback(self.maker.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    @contextmanager
    def habitat(self, shape: Shape) -> Iterator[Habitat]:
        """``shape`` on this server. Raises DocumentError: it is wrong by itself."""
        with ExitStack() as stack:
            name = stack.enter_context(self.maker.temporary(f"zoo_{shape.name}"))
            habitat = Habitat(self, shape, name, stack)
            habitat.prepare()
            yield habitat


@dataclass
class Habitat:
    """``shape`` as the database ``template``: nobody works in it, tries are copies."""

    zoo: Zoo
    shape: Shape
    template: str
    _stack: ExitStack
    #: what each request gives without a runbook
    answers: dict[Key, list[tuple[object, ...]]] = field(default_factory=dict)
    _middle: str = ""
    _end: Contents | None = None

    def __post_init__(self) -> None:
        self.begun = now()

    @property
    def server(self) -> Server:
        return self.zoo.server

    def prepare(self) -> None:
        """Make the template, and see that requests and holds are as the shape says without a runbook."""
        self._owned(self.template)
        with self._said("set up"), connect(self.server.dsn(self.template), autocommit=True) as session:
            session.execute(f"SET ROLE {OWNER}".encode())
            for sql in self.shape.sections["set up"]:
                session.execute(sql.encode())
            session.execute(b"RESET ROLE")
            session.execute(_RIGHTS.encode())
            session.execute(b"ANALYZE")
        self._middle = self._stack.enter_context(self.copy())
        with self._application(self._middle) as application:
            for _ in range(ROUNDS_FORWARD):
                application.round()
            self.answers = application.answers
            if application.failures:
                failure = next(iter(application.failures.values()))
                raise DocumentError(
                    f"a request of [traffic] fails without any runbook: {failure}",
                    path=self.shape.path,
                    next_step="mend the shape",
                )
        with connect(self.server.dsn(self._middle), autocommit=True) as session:
            if false := self.false_holds(session):
                raise DocumentError(
                    f"not true without any runbook: {false}", path=self.shape.path, next_step="mend [holds]"
                )

    @contextmanager
    def copy(self) -> Iterator[str]:
        """A copy that belongs to the owner and says that it is staging, dropped afterwards."""
        with self.zoo.maker.temporary("zoo", self.template) as name:
            self._owned(name)
            if self.shape.sections["copy"]:
                with self._said("copy"), connect(self.server.dsn(name), autocommit=True) as session:
                    for sql in self.shape.sections["copy"]:
                        session.execute(sql.encode())
            yield name

    @contextmanager
    def subscriber(self, database: str) -> Iterator[str]:
        """The name of a database that subscribes to the copy ``database``; empty where the shape has none."""
        if not self.shape.subscriber:
            yield ""
            return
        with ExitStack() as stack:
            with self._said("subscriber"):
                ready = self.shape.sections["subscriber"]
                made = subscribed(self.server, self.zoo.maker, database, self.template, ready)
                name = stack.enter_context(made)
            yield name

    def owner_dsn(self, database: str) -> str:
        """How an operator connects."""
        return self.server.dsn(database, OWNER)

    def application_dsn(self, database: str) -> str:
        """How the application connects."""
        return self.server.dsn(database, APPLICATION)

    def before(self, query: str, failed: frozenset[Key], set_up: Sequence[str]) -> list[tuple[object, ...]]:
        """What ``query`` gives after the rounds forward, without a runbook and the requests ``failed``."""
        failed = frozenset(key for key in failed if key[0] < ROUNDS_FORWARD)
        if not failed and not set_up:
            return self._asked(self._middle, query)
        with self._replayed(failed, set_up, ROUNDS_FORWARD) as database:
            return self._asked(database, query)

    def end(self, failed: frozenset[Key], set_up: Sequence[str]) -> Contents:
        """What is there when all rounds ran without a runbook, requests ``failed`` left out."""
        usual = not failed and not set_up
        if usual and self._end is not None:
            return self._end
        with self._replayed(failed, set_up, ROUNDS) as database:
            end = self.state(database)
        if usual:
            self._end = end
        return end

    def state(self, database: str) -> Contents:
        """What is in ``database``, without our ledgers; times of this run are no difference."""
        return state_of(self.server.dsn(database), ledger=False).without_times(self.begun, now())

    def false_holds(self, session: Connection, skipped: tuple[str, ...] = ()) -> str:
        """The first of the shape's holds that is not true; empty when all are. Those with ``skipped`` words
        are not asked: the runbook takes away what they ask for."""
        return not_true(session, [q for q in self.shape.sections["holds"] if not has_word(q, skipped)])

    def _asked(self, database: str, query: str) -> list[tuple[object, ...]]:
        with connect(self.server.dsn(database), autocommit=True) as session:
            try:
                return list(session.execute(query.encode()).fetchall())
            except psycopg.Error as error:
                raise DocumentError(
                    f"the key before of a runbook: {' '.join(query.split())}: {first_line(error)}",
                    path=self.shape.path.with_name("runbooks.toml"),
                    next_step=f"mend it, or a name in {self.shape.path.name}",
                ) from None

    @contextmanager
    def _replayed(self, failed: frozenset[Key], set_up: Sequence[str], rounds: int) -> Iterator[str]:
        with self.copy() as database:
            if set_up:
                with connect(self.server.dsn(database), autocommit=True) as session:
                    prepared(session, set_up)
            with self._application(database) as application:
                for _ in range(rounds):
                    application.round(lambda key: key not in failed)
            yield database

    def _application(self, database: str) -> Application:
        return Application(self.application_dsn(database), self.shape)

    def _owned(self, name: str) -> None:
        owner = SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(name), Identifier(OWNER))
        self.zoo.watch.execute(owner)
        # The owner's runs are those of an operator: marked like a database that is worth something.
        mark = SQL("ALTER DATABASE {} SET pgrehearse.environment = 'staging'").format(Identifier(name))
        self.zoo.watch.execute(mark)
        for setting, value in self.shape.settings.items():
            # Whoever watches finds the same tables by the same names.
            roles = (OWNER, self.zoo.watch.info.user) if setting == "search_path" else (OWNER,)
            for role in roles:
                said = SQL(value) if setting == "search_path" else Literal(value)
                change = SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}")
                with self._said("settings"):
                    self.zoo.watch.execute(
                        change.format(Identifier(role), Identifier(name), Identifier(setting), said)
                    )

    @contextmanager
    def _said(self, section: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise DocumentError(
                f"[{section}] fails on PostgreSQL {self.server.version}: {first_line(error)}",
                path=self.shape.path,
                next_step="mend it, or name the servers it is for: majors = [18]",
            ) from None


def prepared(session: Connection, set_up: Sequence[str]) -> None:
    """Make the situation that a runbook is for, as a superuser."""
    for sql in set_up:
        try:
            session.execute(sql.encode())
        except psycopg.Error as error:
            raise DocumentError(
                f"the key set_up of a runbook: {' '.join(sql.split())}: {first_line(error)}",
                next_step="mend zoo/runbooks.toml, or a name in the shape",
            ) from None


def not_true(session: Connection, questions: list[str]) -> str:
    """The first of ``questions`` whose answer is not one true value, with the answer; empty when all are."""
    for question in questions:
        try:
            rows = session.execute(question.encode()).fetchall()
        except psycopg.Error as error:
            return f"{' '.join(question.split())}: {first_line(error)}"
        if rows != [(True,)]:
            return f"{' '.join(question.split())}: {rows[:1]}"
    return ""


def has_word(sql: str, words: tuple[str, ...]) -> bool:
    """Whether one of ``words`` stands in ``sql``, as it is or as a literal or an identifier writes it.

    A difference is told with single blanks, whatever the name has."""
    return any(
        form in sql or " ".join(form.split()) in sql for word in words if word for form in _forms(word)
    )


def _forms(word: str) -> tuple[str, str, str]:
    literal = quote_literal(word)
    return word, literal[literal.index("'") + 1 : -1], quote_identifier(word)[1:-1]
