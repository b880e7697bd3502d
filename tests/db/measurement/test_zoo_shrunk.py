"""The question whether a table of the zoo is as small as it can be: by its rows and its fillfactor."""

from __future__ import annotations

import pytest

from pgrehearse.measurement.zoo.fillings import Fillings
from pgrehearse.measurement.zoo.shapes import shapes_of
from pgrehearse.text.project import Project
from support import ROOT
from support.databases import Database


@pytest.mark.parametrize("settings", ["fillfactor = 100", "fillfactor = 30, toast_tuple_target = 128"])
@pytest.mark.parametrize("rows", [20, 300, 5000])
def test_it_is_answered_for_any_fillfactor(database: str, settings: str, rows: int) -> None:
    project = Project.at(ROOT)
    shape = next(one for one in shapes_of(project) if one.name == "plain")
    filling = Fillings(project).of("table-shrink", shape)
    assert filling is not None
    (question,) = filling.done
    shop = Database(database)
    shop.execute("CREATE TABLE item (id int, note text, payload json) WITH (fillfactor = 10)")
    shop.execute(
        f"INSERT INTO item SELECT n, repeat('x', n % 90), '[1]' FROM generate_series(1, {rows}) AS n"
    )
    shop.execute(f"ALTER TABLE item SET ({settings})")
    # Four pages more than the rows need are none to give back.
    assert shop.one(question) is (rows == 20)
    shop.execute("VACUUM FULL item")
    assert shop.one(question) is True
