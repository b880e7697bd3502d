"""environments.toml: read in order, and refused with the line of what is wrong, which is not repeated."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pgrehearse.environments.declared import Environment, parse
from pgrehearse.errors import SetupError
from pgrehearse.promotion.environments_file import load
from pgrehearse.text.project import Project
from support import ROOT

FILE = Path("environments.toml")
GOOD = """\
# a comment
[[environment]]
name = "development"
service = "shop-dev"

[[environment]]
name = "eu"
mark = "production"
dsn_env = "EU_DSN"
approvals = 2
approvers = ["dora", "dan"]
soak = "24h"
without = ["backup"]
roles = "shop_eu"

[environment.groups]
shards = ["shop_1", "service=shop-2"]
"""


def read(text: str) -> list[Environment]:
    return parse(text, FILE, ["backup", "drift"])


def wrong(text: str) -> str:
    with pytest.raises(SetupError) as caught:
        read(text)
    return str(caught.value)


def test_environments_are_read_in_order() -> None:
    first, second = read(GOOD)
    assert first == Environment("development", "development", service="shop-dev", roles="development", line=2)
    assert second == Environment(
        "eu",
        "production",
        dsn_env="EU_DSN",
        approvals=2,
        members={"approver": ("dora", "dan")},
        soak=timedelta(hours=24),
        without=("backup",),
        groups={"shards": ("shop_1", "service=shop-2")},
        roles="shop_eu",
        line=6,
    )


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ('service = "shop-dev"', 'dsn = "postgresql://a:hush@x/d"', 4, "'dsn' is no key of an environment"),
        ('service = "shop-dev"', 'password = "hush"', 4, "holds no connection string"),
        ('"shop-dev"', '"postgresql://a:hush@x/d"', 4, "service is not the name of a section"),
        ('"EU_DSN"', '"host=x password=hush"', 9, "dsn_env is not the name of an environment variable"),
        ('service = "shop-dev"\n', "", 2, "either service or dsn_env"),
        ('dsn_env = "EU_DSN"', 'dsn_env = "EU_DSN"\nservice = "x"', 9, "either service or dsn_env"),
        ('name = "eu"\n', "", 6, "has no name"),
        ('"eu"', '"It\'s"', 7, "name is not lower-case"),
        ('mark = "production"\n', "", 7, "says not what the database is marked"),
        ('"production"', '"prod"', 8, "mark is not one of"),
        ("approvals = 2", "approvals = 3", 10, "3 approvals, and 2 approvers"),
        ("approvals = 2", "approvals = 0", 10, "production without an approval"),
        ("approvals = 2", "approvals = true", 10, "no number from 0 to 9"),
        ("approvals = 2", 'approvals = "hush"', 10, "no number from 0 to 9"),
        ('["dora", "dan"]', '["dora", "dora"]', 11, "each once"),
        ('["dora", "dan"]', '["dora:hush@x"]', 11, "approvers is no list of names of roles"),
        ('"shop_eu"', '"Shop EU"', 14, "roles is not lower-case"),
        ('"24h"', '"1 day"', 12, "soak is not a time"),
        ('"24h"', '"\u0663d"', 12, "soak is not a time"),
        ('["backup"]', '["approvals"]', 13, "no gate is called 'approvals'"),
        ('["backup"]', '"backup"', 13, "no list of names of gates"),
        ('"shop_1"', '"postgresql://a:hush@x/d"', 17, "shards is no list of databases"),
        ("# a comment", 'colour = "hush"', 1, "'colour' is no key of this file"),
        ('name = "eu"', 'name = "development"', 6, "two environments are called development"),
        ('name = "eu"', 'name = "eu', 7, "not TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_never_its_value(
    before: str, after: str, line: int, said: str
) -> None:
    message = wrong(GOOD.replace(before, after, 1))
    assert f"environments.toml:{line}: " in message
    assert said in message
    assert "hush" not in message
    assert "\n  next: " in message


def test_production_comes_last_and_an_empty_file_is_refused() -> None:
    first, second = GOOD.split("\n\n", 1)
    turned = second + "\n" + first
    assert "comes after eu, which is more protected" in wrong(turned)
    assert "has no [[environment]]" in wrong("")
    assert "has no [[environment]]" in wrong("environment = 3")


def test_production_asks_for_an_approval_without_being_told() -> None:
    (one,) = read('[[environment]]\nname = "production"\nservice = "x"\n')
    assert one.approvals == 1


def test_the_handbook_s_own_file_is_good() -> None:
    _, found = load(Project.at(ROOT))
    assert [one.name for one in found] == ["development", "staging", "production"]
