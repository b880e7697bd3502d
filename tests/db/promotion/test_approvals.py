"""Who approves: somebody else than asked, for one plan, as long as that person is an approver."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from pgrehearse.promotion.installing import install
from pgrehearse.promotion.store import Store
from support.databases import execute
from support.promotions import ITEMS, Stage, approved, call, refusal, refused, trail

P = "pgrehearse_promotion"


# --- attacks --------------------------------------------------------------------------------------------


def test_nobody_approves_what_they_requested(stage: Stage) -> None:
    execute(stage.dsn, f"GRANT {stage.group('approver')} TO {stage.who('rita')}")
    number, _ = stage.request()
    assert refused(lambda: stage.approve("rita", number)) == (
        f"42501 {stage.who('rita')} requested promotion {number} and cannot approve it"
    )
    execute(stage.dsn, f"GRANT {stage.who('dora')} TO {stage.who('rita')}")
    said = refused(lambda: stage.ask("rita", f"SET ROLE {stage.who('dora')}; "
                                     f"SELECT {P}.approve({number}, '{stage.hash(number)}')"))  # fmt: skip
    assert "cannot approve it" in said


_TRAPS = {
    "a trigger": (
        "CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM {call}; RETURN NEW; END $$;"
        " CREATE TRIGGER trap BEFORE INSERT ON public.note FOR EACH ROW EXECUTE FUNCTION public.trap()",
        "INSERT INTO public.note VALUES ('x')",
    ),
    "a view": ("CREATE VIEW public.trap AS SELECT {call} AS notes", "SELECT * FROM public.trap"),
    "a function that is put in its place": (
        "CREATE FUNCTION public.trap() RETURNS text LANGUAGE sql AS $$ SELECT {call} $$",
        "SELECT public.trap()",
    ),
    "an operator": (
        "CREATE FUNCTION public.trap(text, int) RETURNS text LANGUAGE sql AS $$ SELECT {call} $$;"
        " CREATE OPERATOR public.+ (LEFTARG = text, RIGHTARG = int, FUNCTION = public.trap)",
        "SELECT 'a'::text + 1",
    ),
    "a rule": (
        "CREATE RULE trap AS ON INSERT TO public.note DO ALSO SELECT {call}",
        "INSERT INTO public.note VALUES ('x')",
    ),
    "a default": (
        "ALTER TABLE public.note ADD COLUMN by text;"
        " ALTER TABLE public.note ALTER COLUMN by SET DEFAULT {call}",
        "INSERT INTO public.note (said) VALUES ('x')",
    ),
    "a policy": (
        "ALTER TABLE public.note ENABLE ROW LEVEL SECURITY;"
        " CREATE POLICY trap ON public.note USING ({call} IS NOT NULL)",
        "SELECT * FROM public.note",
    ),
    "a prepared statement": ("SELECT 1", "PREPARE trap AS SELECT {call}; EXECUTE trap"),
}


@pytest.mark.parametrize("trap", _TRAPS)
def test_nobody_approves_by_happening_upon_what_somebody_else_wrote(stage: Stage, trap: str) -> None:
    """It runs as the approver, whose session it is. What the approver sent does not say approve."""
    number, plan = stage.request()
    made, stepped_upon = (
        text.replace("{call}", f"pgrehearse_promotion.approve({number}, '{plan}')") for text in _TRAPS[trap]
    )
    execute(stage.dsn, "CREATE TABLE public.note (said text); INSERT INTO public.note VALUES ('a')")
    execute(stage.dsn, "GRANT ALL ON public.note TO PUBLIC; GRANT CREATE ON SCHEMA public TO PUBLIC")
    execute(stage.dsn, f"ALTER TABLE public.note OWNER TO {stage.who('ron')}")
    # By a superuser: what a function may not call for its owner's want of rights is refused by itself.
    execute(stage.dsn, made)
    if trap == "a view":
        execute(
            stage.dsn, "GRANT SELECT ON public.trap TO PUBLIC; ALTER VIEW public.trap SET (security_barrier)"
        )
    with psycopg.connect(stage.as_("dora"), autocommit=True) as dora:
        said = refused(lambda: [dora.execute(one.encode()) for one in stepped_upon.split("; ")])
    assert said.startswith("42501"), said
    assert "did not ask to approve" in said or "permission denied" in said
    assert stage.state(number) == "requested"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT pgrehearse_promotion.approve({}, '{}')",
        'select "pgrehearse_promotion"."approve" ({}, \'{}\')',
        "/* as asked */ SELECT * FROM Pgrehearse_Promotion . approve({}, '{}') AS state",
        "BEGIN; SELECT pgrehearse_promotion.approve({}, '{}'); COMMIT",
    ],
)
def test_an_approval_in_any_spelling_is_one(stage: Stage, text: str) -> None:
    number, plan = stage.request()
    with psycopg.connect(stage.as_("dora"), autocommit=True) as dora:
        dora.execute(text.format(number, plan).encode())
    assert stage.state(number) == "approved"


def test_an_approval_is_for_one_plan(stage: Stage) -> None:
    number, plan = approved(stage)
    changed = [ITEMS[0], {**ITEMS[1], "sha256": "c" * 64}]
    second, other = stage.request(changed)
    assert stage.state(number) == "superseded"
    assert plan != other
    assert "the plan changed" in refused(lambda: stage.approve("dora", second, plan))
    assert "is superseded: there is nothing to approve" in refused(
        lambda: stage.approve("dora", number, plan)
    )
    third, same = stage.request()  # the first plan again: its approval was for another request
    assert same == plan
    with stage.applying() as ron:
        for about, hash_ in ((third, plan), (number, plan), (second, plan)):
            assert refused(lambda a=about, h=hash_: ron.execute(call("start"), [a, h, stage.gates()]))
    assert (stage.state(number), stage.state(second), stage.state(third)) == (
        "superseded", "superseded", "requested",
    )  # fmt: skip


def test_a_migration_edited_after_the_approval_is_another_plan(stage: Stage) -> None:
    number, _ = approved(stage)
    with stage.applying() as ron:
        said = refused(lambda: ron.execute(call("start"), [number, "d" * 64, stage.gates()]))
    assert said == f"55000 the plan changed: promotion {number} was approved for another one"
    for sql in (f"UPDATE {P}.item SET sha256 = repeat('d', 64)",
                f"INSERT INTO {P}.item VALUES ({number}, 3, '3', '3_more', repeat('e', 64))",
                f"INSERT INTO {P}.target VALUES ({number}, 2, 'other')"):  # fmt: skip
        for person in ("postgres", "rita", "ron"):
            assert refused(lambda s=sql, p=person: stage.ask(p, s)).startswith("42501")


def test_an_approver_who_is_one_no_more_does_not_count(stage: Stage) -> None:
    number, plan = approved(stage)
    dan_only = {**stage.environment.members, "approver": (stage.who("dan"),)}
    done = install(stage.as_("installer"), replace(stage.environment, members=dan_only), 0)
    assert done.revoked == ((stage.group("approver"), stage.who("dora")),)
    with stage.applying() as ron:
        said = refused(lambda: ron.execute(call("start"), [number, plan, stage.gates()]))
        assert said.endswith(f"0 of 1 approvals: {stage.who('dora')} is no longer an approver")
        # A role made anew under the same name is somebody else.
        execute(stage.dsn, f"DROP ROLE {stage.who('dora')}; CREATE ROLE {stage.who('dora')} LOGIN IN ROLE"
                           f" {stage.group('approver')}")  # fmt: skip
        said = refused(lambda: ron.execute(call("start"), [number, plan, stage.gates()]))
        assert said.endswith("0 of 1 approvals: that role is gone")
        stage.approve("dan", number)
        ron.execute(call("start"), [number, plan, stage.gates()])
    assert stage.state(number) == "applying"


def test_an_approver_is_the_person_who_logged_in(stage: Stage) -> None:
    number, plan = stage.request()
    dora, approver = stage.who("dora"), stage.group("approver")
    approve = f"SELECT {P}.approve({number}, '{plan}')"
    for person in ("rita", "ron", "vic", "nora"):
        for sql in (f"SET ROLE {approver}", f"SET ROLE {dora}", f"SET SESSION AUTHORIZATION {dora}"):
            said = refused(lambda s=sql, p=person: stage.ask(p, f"{s}; {approve}"))
            assert said.startswith("42501 permission denied"), said
    said = refused(lambda: stage.ask("postgres", f"SET SESSION AUTHORIZATION {dora}; {approve}"))
    assert said == f"42501 this session logged in as postgres and calls itself {dora}"
    assert "may not approve" in refused(lambda: stage.ask("postgres", approve))


def test_an_approval_that_was_rolled_back_is_none(stage: Stage) -> None:
    number, plan = stage.request()
    with psycopg.connect(stage.as_("dora")) as connection:
        connection.execute(call("approve").encode(), [number, plan])
        connection.rollback()
    assert stage.state(number) == "requested"
    assert trail(stage).problems == ()


def test_two_approvers_race_with_apply_and_the_account_is_whole(stage: Stage) -> None:
    number, plan = stage.request()
    ends: list[str] = []

    def at_once(act: Callable[[], object]) -> None:
        try:
            act()
            ends.append("ok")
        except psycopg.Error as error:
            ends.append(refusal(error))

    def apply() -> None:
        with stage.applying() as ron:
            ron.execute(call("start"), [number, plan, stage.gates()])

    acts = [lambda: stage.approve("dora", number, plan), lambda: stage.approve("dan", number, plan),
            apply, lambda: stage.ask("rita", call("cancel"), number, "no")]  # fmt: skip
    threads = [threading.Thread(target=at_once, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 4
    found = trail(stage)
    assert found.problems == ()
    actions = [entry["action"] for entry in found.entries]
    if "start" in actions:
        assert actions.index("approve") < actions.index("start")
        assert "approval" in actions[: actions.index("start")]
    assert actions.count("start") <= 1


def test_an_approval_keeps_who_made_its_giver_an_approver(stage: Stage) -> None:
    """Also by way of a team, and in the trail."""
    group, team = stage.group("approver"), stage.who("team")
    stage.ask("postgres", f"CREATE ROLE {team}")
    stage.ask("postgres", f"GRANT {group} TO {team}")
    stage.ask("postgres", f"GRANT {team} TO {stage.who('nora')}")
    number, plan = stage.request()
    stage.approve("nora", number)
    given = stage.ask("vic", "SELECT membership FROM pgrehearse_promotion.approvals(%s)", number)[0][0]
    assert given == [
        {"member": stage.who("nora"), "role": team, "granted_by": "postgres", "admin": False},
        {"member": team, "role": group, "granted_by": "postgres", "admin": False},
    ]
    entry = next(one for one in trail(stage).entries if one["action"] == "approval")
    assert (entry["detail"]["plan"], entry["detail"]["membership"]) == (plan, given)
    assert trail(stage).problems == ()


def test_who_could_have_made_himself_an_approver_is_named(stage: Stage) -> None:
    """By CREATEROLE up to 15, by the right to grant the role, as a superuser; also by way of another role."""

    def doubtful() -> dict[str, str]:
        with psycopg.connect(stage.as_("vic"), autocommit=True) as connection:
            return Store(connection).doubtful()

    old = stage.ask("vic", "SELECT current_setting('server_version_num')::int < 160000")[0][0]
    dora, dan, boss = stage.who("dora"), stage.who("dan"), stage.who("boss")
    assert doubtful() == {}
    stage.ask("postgres", f"ALTER ROLE {dora} CREATEROLE")
    assert doubtful() == ({dora: "CREATEROLE"} if old else {})
    stage.ask("postgres", f"ALTER ROLE {dora} NOCREATEROLE")
    stage.ask("postgres", f"CREATE ROLE {boss} SUPERUSER")
    stage.ask("postgres", f"GRANT {boss} TO {dan}")
    stage.ask("postgres", f"GRANT {stage.group('approver')} TO {dora} WITH ADMIN OPTION")
    assert doubtful() == {dora: "ADMIN OPTION", dan: "superuser"}
    stage.ask("postgres", f"REVOKE {boss} FROM {dan}")
    stage.ask("postgres", f"ALTER ROLE {stage.who('nora')} SUPERUSER")  # who has not the role
    assert doubtful() == {dora: "ADMIN OPTION"}


def test_many_ways_to_a_role_are_followed_once_each(stage: Stage) -> None:
    """Forty layers of two roles, each a member of both above: 2 to the power of 40 ways."""
    above = [stage.group("approver")]
    for layer in range(40):
        pair = [stage.who(f"layer{layer}{side}") for side in "ab"]
        stage.ask("postgres", f"CREATE ROLE {pair[0]}")
        stage.ask("postgres", f"CREATE ROLE {pair[1]}")
        stage.ask("postgres", f"GRANT {', '.join(above)} TO {', '.join(pair)}")
        above = pair
    stage.ask("postgres", f"GRANT {above[0]} TO {stage.who('nora')}")
    number, _ = stage.request()
    assert stage.approve("nora", number) == "approved"
    given = stage.ask("vic", "SELECT membership FROM pgrehearse_promotion.approvals(%s)", number)[0][0]
    assert len(given) == 1 + 2 + 38 * 4 + 2  # nora, her layer, those between, the one below the group


def test_who_granted_himself_the_role_is_seen_in_the_approval(stage: Stage) -> None:
    """Up to 15 with CREATEROLE alone; since 16 PostgreSQL refuses that."""
    nora, group = stage.who("nora"), stage.group("approver")
    stage.ask("postgres", f"ALTER ROLE {nora} CREATEROLE")
    number, _ = stage.request()
    if stage.server.major >= 16:
        assert refused(lambda: stage.ask("nora", f"GRANT {group} TO {nora}")).startswith("42501")
        return
    stage.ask("nora", f"GRANT {group} TO {nora}")
    stage.approve("nora", number)
    (given,) = stage.ask("vic", "SELECT membership FROM pgrehearse_promotion.approvals(%s)", number)[0][0]
    assert (given["member"], given["granted_by"]) == (nora, nora)
