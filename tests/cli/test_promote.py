"""``pgrehearse promote``: the whole story on three databases, and what stops it on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest

from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.promotion.store import LOCK
from pgrehearse.servers import Servers
from support.bench import Bench
from support.databases import execute
from support.majors import OLD_AND_NEW
from support.ways import SLOW, Way, way_on


@pytest.fixture(params=OLD_AND_NEW)
def way(
    servers: Servers, bench: Bench, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Way]:
    """Two migrations, applied in development; promotion is installed in the other two."""
    with way_on(servers.get(request.param), bench, monkeypatch) as made:
        made.migration(1, "CREATE TABLE shop (id int);")
        made.migration(2, "ALTER TABLE shop ADD COLUMN name text;")
        made.declare()
        made.install()
        made.up()
        yield made


def red(way: Way, mark: str, person: str = "deploy") -> dict[str, str]:
    """The gates that are red in the plan, with their evidence."""
    value = json.loads(way.call(person, "plan", mark, "--json").out)
    return {gate["gate"]: gate["evidence"] for gate in value["gates"] if not gate["green"]}


def test_the_whole_story(way: Way) -> None:
    assert "2 migrations pending and not requested: 1_step ..." in way.good("vic", "status")
    assert set(red(way, "production")) == {"applied", "promoted", "soak", "approvals"}
    way.to_staging()
    assert red(way, "production") == {"approvals": "nothing is requested yet"}
    asked = way.good("rita", "request", "production", "--why", "names for shops")
    plan = way.plan("production")
    assert f"promote approve {way.name('production')} --plan {plan[:12]}" in asked
    refused = way.call("deploy", "apply", "production")
    assert (refused.status, "gate approvals: 0 of 1" in refused.err) == (1, True)
    assert "requested, 0 of 1 approvals for " in way.good("vic", "status", "production")
    assert "1 of 1; it is approved" in way.good("dora", "approve", "production", "--plan", plan[:12])
    assert "approved, not applied for " in way.good("vic", "status", "production")
    done = way.good("deploy", "apply", "production")
    assert "applied 1_step" in done
    assert f"is applied in {way.name('production')}" in done
    assert way.databases["production"].one("SELECT count(*) FROM shop") == 0
    status = way.status("production")
    assert status["promotions"][0]["state"] == "applied"
    assert [step["outcome"] for step in status["promotions"][0]["steps"]] == ["done", "done"]
    assert (status["audit"]["problems"], status["pending"]) == ([], [])
    assert (
        way.call("vic", "status", "--audit", "--known", status["audit"]["head"][:20]).status == 1
    )  # staging's
    again = way.call("vic", "status", "production", "--known", status["audit"]["head"][:20])
    assert again.status == 0, again.said
    nothing = way.call("rita", "request", "production")
    assert (nothing.status, "nothing is pending" in nothing.err) == (69, True)


def test_what_cannot_be_seen_is_not_called_nothing(way: Way) -> None:
    """A ledger that is refused, or that a role may not read, tells nothing of what is pending."""
    production = way.databases["production"]
    production.execute("CREATE TABLE goose_db_version (version_id bigint)")
    production.execute("INSERT INTO goose_db_version VALUES (0)")
    seen = way.call("vic", "status", "production")
    assert (seen.status, "nothing is pending" in seen.said) == (1, False)
    assert "what is pending is not known: refused: public.goose_db_version says that goose" in seen.err
    value = json.loads(way.call("vic", "status", "production", "--json").out)[way.name("production")]
    assert (value["pending"], "goose" in value["pending_unknown"]) == (None, True)
    production.execute(
        "DROP TABLE goose_db_version; CREATE TABLE schema_migrations (version text PRIMARY KEY)"
    )
    production.execute("REVOKE ALL ON schema_migrations FROM PUBLIC")
    closed = way.call("vic", "status", "production")
    assert (closed.status, "nothing is pending" in closed.said) == (0, False)
    assert "what is pending is not known: the ledger cannot be read: permission denied" in closed.err
    assert way.good("deploy", "status", "production")


def test_every_gate_turns_red_and_green(way: Way) -> None:
    """With those that start servers. Each is red for its own reason, and nothing is changed then."""
    way.declare(without=("policy",))
    way.install()
    way.bench.write("db/smoke.sql", "-- leaves out index nothing: because\n")
    found = red(way, "staging")
    assert found.keys() == {"approvals", "smoke"}
    way.declare(without=("policy", "smoke"))
    way.install()
    way.to_staging()
    production, staging = way.databases["production"], way.databases["staging"]
    execute(staging.dsn, "ALTER TABLE shop ADD COLUMN by_hand int")
    assert "is not what its migrations make: table public.shop" in red(way, "production")["drift-before"]
    execute(staging.dsn, "ALTER TABLE shop DROP COLUMN by_hand")
    execute(production.dsn, "CREATE SCHEMA by_hand")
    assert red(way, "production").keys() == {"approvals"}  # no ledger yet, nothing to compare with
    way.approved()
    ended = way.call("deploy", "apply", "production")
    assert ended.status == 0, ended.said
    way.migration(3, "SELECT 1/0;")
    found = red(way, "production")
    again = way.call("deploy", "plan", "production")  # what was measured is known
    assert (again.status, "measuring" in again.err) == (0, False)
    assert "schema by_hand" in found["drift"]
    assert "3_step" in found["rehearsal"]
    assert "not applied as the files are" in found["applied"]


def test_a_gate_that_cannot_be_answered_is_red(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    way.declare(without=tuple(name for name in SLOW if name != "smoke"))
    way.install()
    assert red(way, "staging")["smoke"].startswith("cannot be answered: no such file")
    way.migration(2, "ALTER TABLE shop ADD COLUMN other text;")
    assert red(way, "staging")["applied"] == (
        f"not applied as the files are in {way.databases['development'].name}: 2_step"
    )


def test_an_approver_who_could_have_made_himself_one_is_named(way: Way) -> None:
    way.to_staging()
    way.good("rita", "request", "production")
    assert red(way, "production")["approvals"] == "0 of 1"
    group = f"pgrehearse_{way.name('production')}_approver"
    database = way.databases["production"]
    database.execute(f"GRANT {group} TO {way.who('dora')} WITH ADMIN OPTION")
    said = f"0 of 1; could have made themselves approvers: {way.who('dora')} (ADMIN OPTION)"
    assert red(way, "production")["approvals"] == said


def test_a_backup_is_asked_for_unless_the_file_says_so(way: Way) -> None:
    file = way.bench.root / "environments.toml"
    file.write_text(file.read_text("utf-8").replace(', "backup"', ""), "utf-8")
    refused = way.call("deploy", "plan", "production")
    assert (refused.status, "the rules of production" in refused.err) == (69, True)
    way.install()
    assert red(way, "production")["backup"].startswith("no backup of ")


def test_soak_is_counted_by_the_server_of_the_environment_before(way: Way) -> None:
    way.declare(production='soak = "1h"\n')
    way.install()
    way.to_staging()
    assert " of 1 h in staging" in red(way, "production")["soak"]
    finished = "UPDATE pgrehearse.attempt SET finished = finished + interval '{}'"
    execute(way.databases["staging"].dsn, finished.format("2 days"))
    assert "in the future" in red(way, "production")["soak"]
    execute(way.databases["staging"].dsn, finished.format("-3 days"))
    # The owner of the ledger moved it; the record of the promotion's steps is not his to move.
    assert " of 1 h in staging" in red(way, "production")["soak"]
    way.declare((*SLOW, "promoted"), production='soak = "1h"\n')
    way.install()
    assert "soak" not in red(way, "production")


def test_what_came_past_promotion_does_not_open_the_next_gate(way: Way) -> None:
    """`db up` there, or a forged row in the ledger: PostgreSQL's own record of steps knows nothing of it."""
    way.up("staging")
    assert red(way, "production")["promoted"].endswith("has brought: 1_step, 2_step")


def test_a_migration_edited_after_the_approval_is_refused(way: Way) -> None:
    way.to_staging()
    way.approved()
    way.migration(2, "ALTER TABLE shop ADD COLUMN name varchar;")
    refused = way.call("deploy", "apply", "production")
    assert (refused.status, "2_step was edited after it was requested" in refused.err) == (1, True)
    (way.bench.root / "db/migrations/2_step.sql").unlink()
    assert "its file is gone" in way.call("deploy", "apply", "production").err
    assert way.state("production") == "approved"


def test_a_migration_that_came_after_the_approval_is_not_in_the_plan(way: Way) -> None:
    way.to_staging()
    way.approved()
    way.migration(3, "CREATE TABLE later (id int);")
    way.good("deploy", "apply", "production")
    assert way.databases["production"].one("SELECT to_regclass('later')") is None
    assert way.status("production")["pending"] == ["3_step"]


def test_one_that_belongs_in_between_makes_the_ledger_gate_red(way: Way) -> None:
    way.migration(5, "CREATE TABLE five (id int);")
    way.up()
    way.to_staging()
    way.approved()
    way.migration(4, "CREATE TABLE four (id int);")
    refused = way.call("deploy", "apply", "production")
    assert "gate ledger: pending in " in refused.err
    assert "not in the plan: 4_step" in refused.err


def test_it_stops_at_the_first_surprise_and_goes_on_when_that_is_mended(way: Way) -> None:
    way.to_staging()
    way.approved()
    production = way.databases["production"]
    execute(production.dsn, "CREATE TABLE shop (old int)")
    failed = way.call("deploy", "apply", "production")
    assert (failed.status, 'relation "shop" already exists' in failed.err) == (1, True)
    told = way.good("vic", "status", "production")
    assert "stopped for " in told
    assert 'relation "shop" already exists' in told
    execute(production.dsn, "DROP TABLE shop")
    way.good("deploy", "apply", "production")
    status = way.status("production")
    assert status["audit"]["problems"] == []
    actions = [entry["action"] for entry in status["audit"]["entries"]]
    assert (actions.count("start"), actions.count("stop"), actions.count("resume")) == (1, 1, 1)
    assert "step failed" in actions


def test_another_one_at_work_is_waited_for_and_then_left_alone(way: Way) -> None:
    way.to_staging()
    way.approved()
    with psycopg.connect(way.databases["production"].dsn, autocommit=True) as other:
        for key, words in ((LOCK, "another apply is at work"), (RUNNER, "another runner is at work")):
            other.execute("SELECT pg_advisory_lock(%s, %s)", key)
            refused = way.call("deploy", "apply", "production", "--wait", "0")
            assert (refused.status, words in refused.err) == (69, True), refused.said
            other.execute("SELECT pg_advisory_unlock_all()")
    way.good("deploy", "apply", "production")


def test_what_is_canceled_or_replaced_is_not_applied(way: Way) -> None:
    way.to_staging()
    way.approved()
    assert "is canceled" in way.good("dora", "cancel", "production", "--why", "not before the sale")
    assert "not before the sale" in way.good("vic", "status", "production")
    nothing = way.call("deploy", "apply", "production")
    assert (nothing.status, "nothing is requested" in nothing.err) == (69, True)
    way.good("rita", "request", "production")
    assert "is superseded" in way.good("rita", "request", "production")


def test_an_approval_names_the_plan_that_was_read(way: Way) -> None:
    way.to_staging()
    way.good("rita", "request", "production")
    refused = way.call("dora", "approve", "production", "--plan", "0" * 12)
    assert (refused.status, "the plan that is requested is" in refused.err) == (69, True)
    assert way.call("dora", "approve", "production", "--plan", "abc").status == 2
    for person in ("rita", "deploy", "vic", "postgres"):
        refused = way.call(person, "approve", "production", "--plan", way.plan("production"))
        assert (refused.status, "refused by PostgreSQL" in refused.err) == (69, True), person
    assert way.state("production") == "requested"


def test_a_database_that_is_not_what_the_file_says_stops_everything(way: Way) -> None:
    way.databases["production"].mark("staging")
    for words in (("plan",), ("request",), ("apply",), ("install",)):
        refused = way.call("deploy", words[0], "production")
        assert (refused.status, "is marked staging, and environments.toml says" in refused.err) == (69, True)
    assert "cannot be looked at" in way.call("vic", "status").err
    way.monkeypatch.setenv(way.variable("staging"), "host=/nowhere password=hush dbname=x")
    unreachable = way.bench.call("promote", "plan", way.name("staging"))
    assert unreachable.status == 69
    assert "hush" not in unreachable.said
    way.monkeypatch.delenv(way.variable("staging"))
    assert "is not set" in way.bench.call("promote", "plan", way.name("staging")).err


def test_one_database_is_not_two_environments(way: Way) -> None:
    way.to_staging()
    way.databases["staging"].mark("production")
    file = way.bench.root / "environments.toml"
    text = file.read_text("utf-8").replace('mark = "staging"', 'mark = "production"', 1)
    file.write_text(text.replace("without", "approvals = 1\nwithout", 1), "utf-8")
    way.as_("deploy")
    both = way.databases["staging"].dsn
    way.monkeypatch.setenv(way.variable("production"), both)
    ended = way.bench.call("promote", "plan", way.name("production"))
    assert ended.status == 69, ended.said


def test_a_group_goes_together(way: Way) -> None:
    name = f"shard_{way.tag}"
    execute(way.server.dsn(), f"CREATE DATABASE {name} OWNER {way.who('deploy')} TEMPLATE template0")
    try:
        execute(way.server.dsn(), f"ALTER DATABASE {name} SET pgrehearse.environment = 'production'")
        way.declare(production=f'groups = {{ all = ["{way.databases["production"].name}", "{name}"] }}\n')
        way.to_staging()
        way.good("rita", "request", "production", "--group", "all")
        way.good("dora", "approve", "production", "--plan", way.plan("production"))
        way.good("deploy", "apply", "production")
        steps = way.status("production")["promotions"][0]["steps"]
        assert [step["outcome"] for step in steps] == ["done"] * 4
        there = way.databases["production"].dsn.replace(way.databases["production"].name, name)
        assert execute(there, "SELECT count(*) FROM shop") == [(0,)]
    finally:
        execute(way.server.dsn(), f"DROP DATABASE {name}")


def test_an_open_transaction_of_an_approver_is_not_waited_for_without_end(way: Way) -> None:
    way.to_staging()
    way.approved()
    dan = way.databases["production"].dsn.replace("user=postgres", f"user={way.who('dan')}")
    with psycopg.connect(dan) as other:
        number = "SELECT max(id) FROM pgrehearse_promotion.promotion"
        other.execute(
            f"SELECT pgrehearse_promotion.approve(({number}), %s)".encode(), [way.plan("production")]
        )
        refused = way.call("deploy", "apply", "production")
        assert (refused.status, "somebody's transaction is open" in refused.err) == (69, True), refused.said
        other.rollback()
    way.good("deploy", "apply", "production")


def test_every_step_is_told_to_programs_too(way: Way) -> None:
    way.to_staging()
    asked = json.loads(way.good("rita", "request", "production", "--json"))
    assert (asked["state"], asked["requested_by"], asked["approvals"]) == ("requested", way.who("rita"), [])
    given = json.loads(way.good("dora", "approve", "production", "--plan", asked["plan"], "--json"))
    assert (given["state"], [one["by"] for one in given["approvals"]]) == ("approved", [way.who("dora")])
    done = json.loads(way.good("deploy", "apply", "production", "--json"))
    assert (done["state"], [one["outcome"] for one in done["steps"]]) == ("applied", ["done", "done"])
    way.migration(3, "SELECT 1;")
    way.good("rita", "request", "production")
    gone = json.loads(way.good("rita", "cancel", "production", "--why", "not now", "--json"))
    assert (gone["state"], gone["said"]) == ("canceled", "not now")


def test_two_applications_on_one_server_do_not_share_their_roles(way: Way) -> None:
    way.declare(production=f'roles = "other_{way.tag}"\n')
    refused = way.call("deploy", "plan", "production")
    assert (refused.status, f"roles: pgrehearse_production_{way.tag} there" in refused.err) == (69, True)
    refused = way.call("postgres", "install", "production")
    assert "the schema pgrehearse_promotion belongs to" in refused.err
