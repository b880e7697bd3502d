"""The whole story of two promotions, as one command: to staging, then to production, by four people."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psycopg

from pgrehearse.environments.declared import parse
from pgrehearse.promotion import audit
from pgrehearse.promotion.installing import install
from support.databases import Database, mark
from support.faults.scenarios import Scenario
from support.projects import write

__all__ = ["Story"]

_STORY = Path(__file__).with_name("story.py")
_WITHOUT = json.dumps(["drift", "drift-before", "rehearsal", "policy", "smoke", "backup"])
_TRACE = "CREATE TABLE trace (what text, at timestamptz DEFAULT clock_timestamp())"
_MIGRATIONS = {
    1: "-- migrate:up\nCREATE TABLE item (id int, n int);\nINSERT INTO trace (what) VALUES ('1');",
    2: "-- migrate:up transaction:false\nINSERT INTO trace (what) VALUES ('2');\n"
    "CREATE INDEX CONCURRENTLY item_n ON item (n);",
    3: "-- migrate:up\nINSERT INTO trace (what) VALUES ('3');",
}
_DONE = """
SELECT version, count(*)::int FROM pgrehearse.attempt WHERE outcome = 'done' GROUP BY 1 ORDER BY 1
"""


class Story(Scenario):
    """Request, two approvals and apply, in staging and in production; see ``story.py``."""

    def prepare(self) -> None:
        tag = self.name.removeprefix("t_")
        people = {person: f"{person}_{tag}" for person in ("rita", "dora", "dan", "deploy")}
        for role in people.values():
            self.cluster.execute(f"CREATE ROLE {role} LOGIN")
        self.roles = list(people.values())
        text = ""
        for name in ("staging", "production"):
            text += f'[[environment]]\nname = "{name[0]}{tag}"\nmark = "{name}"\ndsn_env = "{name.upper()}"\n'
            text += f'approvals = 2\nrequesters = ["{people["rita"]}"]\nwithout = {_WITHOUT}\n'
            text += f'approvers = ["{people["dora"]}", "{people["dan"]}"]\nrunners = ["{people["deploy"]}"]\n'
        environments = parse(text, self.folder / "environments.toml", json.loads(_WITHOUT))
        self.environments = [one.name for one in environments]
        write(self.folder, "environments.toml", text)
        write(self.folder, "pyproject.toml", "")
        for version, sql in _MIGRATIONS.items():
            write(self.folder, f"db/migrations/{version}_step.sql", f"{sql}\n-- migrate:down\nSELECT 1;\n")
        self.cluster.execute(f'CREATE DATABASE "{self.name}_p" TEMPLATE template0')
        self.production = Database(self.cluster.dsn(f"{self.name}_p"))
        both = (self.database, self.production)
        for position, (one, environment) in enumerate(zip(both, environments, strict=True)):
            one.execute(f'ALTER DATABASE "{one.name}" OWNER TO {people["deploy"]}')
            one.execute(_TRACE)
            one.execute(f"ALTER TABLE trace OWNER TO {people['deploy']}")
            mark(one.dsn, environment.mark)
            install(one.dsn, environment, position)

    @property
    def databases(self) -> tuple[Database, ...]:
        return self.database, self.production

    def command(self, dsn: str) -> tuple[str, ...]:
        return (sys.executable, str(_STORY), dsn, *self.environments, *self.roles)

    def judged(self) -> list[str]:
        wrong = []
        for one in self.databases:
            wrong += [f"{one.name}: {problem}" for problem in self._judged(one)]
        return wrong

    def _judged(self, one: Database) -> list[str]:
        traced = one.execute("SELECT what FROM trace ORDER BY at")
        wrong = [] if traced == [("1",), ("2",), ("3",)] else [f"trace: {traced}"]
        done = one.execute(_DONE)
        wrong += [] if done == [("1", 1), ("2", 1), ("3", 1)] else [f"ledger: {done}"]
        states = one.execute("SELECT state, count(*)::int FROM pgrehearse_promotion.promotion GROUP BY 1")
        wrong += [] if states == [("applied", 1)] else [f"promotions: {states}"]
        with psycopg.connect(one.dsn, autocommit=True) as connection:
            trail = audit.read(connection)
        wrong += trail.problems
        actions = [(entry["action"], entry["who"].partition("_")[0]) for entry in trail.entries]
        for act in (("request", "rita"), ("approval", "dora"), ("approval", "dan"), ("finish", "deploy")):
            wrong += [] if actions.count(act) == 1 else [f"audit: {act} {actions.count(act)} times"]
        steps = sum(action == "step done" for action, _ in actions)
        return wrong + ([] if steps == len(_MIGRATIONS) else [f"audit: {steps} steps done"])

    def close(self) -> None:
        super().close()
        self.cluster.execute(f'DROP DATABASE IF EXISTS "{self.name}_p" WITH (FORCE)')
        groups = ("requester", "approver", "runner", "viewer", "dashboard", "owner")
        made = [f"pgrehearse_{name}_{word}" for name in self.environments for word in groups]
        for role in (*made, *self.roles):
            self.cluster.execute(f"DROP ROLE IF EXISTS {role}")
