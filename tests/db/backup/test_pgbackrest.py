"""pgBackRest: good backups are proven to the canary, damaged ones refused, whatever its exit status.

The repository of the newer version is encrypted, its pass phrase in the environment, as containers have it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pgrehearse.backup import take as taking
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.pgbackrest import PgBackRest
from pgrehearse.backup.proof import Proof
from pgrehearse.backup.receipt import Receipt
from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.servers.account import own
from support.archives import (
    Archive,
    archiving,
    as_server,
    changed,
    flip,
    hard_linked,
    largest,
    proven,
    working,
)
from support.damages import words
from support.databases import execute
from support.majors import RECENT
from support.programs import program

_CONFIG = """[global]
repo1-path={repository}
{cipher}
repo1-retention-full=9
compress-type=gz
compress-level=1
log-path={folder}
lock-path={folder}
log-level-file=off
archive-timeout=30
[shop]
pg1-path={data}
pg1-socket-path={socket}
pg1-user=postgres
"""


@dataclass
class Stanza:
    """A stanza with a full backup, an incremental one upon it, and three WAL files archived since."""

    archive: Archive
    program: Path
    cipher: str = ""
    full: str = ""
    incremental: str = ""
    later: list[str] = field(default_factory=list)
    made: int = 0

    def config(self, repository: Path) -> Path:
        file = repository.with_suffix(".conf")
        (data,), *_ = execute(self.archive.dsn, "SHOW data_directory")
        socket = self.archive.server.env("shop")["PGHOST"]
        folder = self.archive.folder
        file.write_text(
            _CONFIG.format(repository=repository, cipher=self.cipher, folder=folder, data=data, socket=socket)
        )
        file.chmod(0o644)
        return file

    def damaged(self, damage: Callable[[Path, Stanza], None]) -> Path:
        """The configuration of a copy of the repository, with that damage."""
        self.made += 1
        repository = hard_linked(
            self.archive.folder / "repository", self.archive.folder / f"copy-{self.made}"
        )
        damage(repository, self)
        return self.config(repository)

    def adapter(self, config: Path, place: str, **options: str) -> PgBackRest:
        options = {"config": str(config), "program": str(self.program), **options}
        work = working(self.archive.folder, **options)
        return PgBackRest(place, self.archive.look(), work)

    def verify(self, config: Path, place: str = "", **options: str) -> Receipt:
        return proven(
            self.adapter(config, place or f"shop/{self.incremental}", **options), self.archive.look()
        )


VERSIONS = {
    "2.60": ("pgbackrest-2.60", RECENT, "repo1-cipher-type=aes-256-cbc"),
    "2.45": ("pgbackrest-2.45", 15, ""),
}


@contextmanager
def _made(version: str) -> Iterator[Stanza]:
    name, major, cipher = VERSIONS[version]
    starter = program(name)
    push = f"{starter} --config={{folder}}/repository.conf --stanza=shop archive-push %p"
    with pytest.MonkeyPatch.context() as patch, ExitStack() as left:
        if cipher:
            patch.setenv("PGBACKREST_REPO1_CIPHER_PASS", "of the test")
        archive = left.enter_context(archiving(major, push))
        found = Stanza(archive, starter, cipher)
        repository = archive.folder / "repository"
        repository.mkdir()
        own(repository)
        config = found.config(repository)
        as_server([starter, f"--config={config}", "--stanza=shop", "stanza-create"])
        for kind in ("full", "incr"):
            taking.take(found.adapter(config, "shop", type=kind))
            execute(archive.dsn, "INSERT INTO orders SELECT max(id) + 1 FROM orders")
        said = as_server([starter, f"--config={config}", "--stanza=shop", "--output=json", "info"])
        found.full, found.incremental = (one["label"] for one in json.loads(said)[0]["backup"])
        for number in (1, 2, 3):
            execute(archive.dsn, f"SELECT pg_create_restore_point('point_{number}')")
            execute(archive.dsn, "INSERT INTO orders SELECT max(id) + 1 FROM orders")
            found.later.append(archive.switch())
        yield found


@pytest.fixture(scope="module")
def newer() -> Iterator[Stanza]:
    with _made("2.60") as made:
        yield made


@pytest.fixture(scope="module")
def older() -> Iterator[Stanza]:
    with _made("2.45") as made:
        yield made


@pytest.fixture(params=["newer", "older"])
def stanza(request: pytest.FixtureRequest) -> Stanza:
    made = request.getfixturevalue(request.param)
    assert isinstance(made, Stanza)
    return made


def test_good_ones_are_read_back_to_the_canary(stanza: Stanza) -> None:
    config = stanza.archive.folder / "repository.conf"
    for place in ("shop", f"shop/{stanza.full}"):
        receipt = stanza.verify(config, place)
        assert receipt.level is EvidenceLevel.CANARY, receipt.missing


def _file(repository: Path, label: str, name: str = "pg_data/base/1/*.gz") -> Path:
    return largest(repository / "backup" / "shop" / label, name)


def _wal(repository: Path, name: str) -> Path:
    return next((repository / "archive" / "shop").glob(f"*/{name[:16]}/{name}-*"))


def _needed(stanza: Stanza) -> str:
    """The WAL file that the incremental backup begins in."""
    adapter = stanza.adapter(stanza.archive.folder / "repository.conf", f"shop/{stanza.incremental}")
    adapter.listed(Proof())
    return str(adapter.wal["start"])


def _flip_info(repository: Path) -> None:
    for name in ("backup.info", "backup.info.copy"):
        flip(repository / "backup" / "shop" / name)


HOW: dict[str, Callable[[Path, Stanza], None]] = {
    "a byte of a file is another": lambda repository, stanza: flip(
        _file(repository, stanza.incremental, "pg_data/**/*.gz")
    ),
    "a byte of the full backup below is another": lambda repository, stanza: flip(
        _file(repository, stanza.full)
    ),
    "a file is gone": lambda repository, stanza: _file(repository, stanza.full).unlink(),
    "a file was cut": lambda repository, stanza: changed(
        _file(repository, stanza.full), _file(repository, stanza.full).read_bytes()[:100]
    ),
    "a file is empty": lambda repository, stanza: changed(_file(repository, stanza.full), b""),
    "the full backup below is gone": lambda repository, stanza: shutil.rmtree(
        repository / "backup" / "shop" / stanza.full
    ),
    "WAL has the content of another": lambda repository, stanza: changed(
        _wal(repository, _needed(stanza)), _wal(repository, stanza.later[0]).read_bytes()
    ),
    "WAL of the backup is gone": lambda repository, stanza: _wal(repository, _needed(stanza)).unlink(),
    "WAL written since is gone in the middle": lambda repository, stanza: _wal(
        repository, stanza.later[1]
    ).unlink(),
    "all WAL is gone": lambda repository, stanza: shutil.rmtree(
        next((repository / "archive" / "shop").glob("*-1"))
    ),
}


@pytest.mark.parametrize("damage", HOW)
def test_damage_is_refused_by_name(newer: Stanza, damage: str) -> None:
    _refused(newer, damage)


@pytest.mark.parametrize(
    "damage", ["a byte of a file is another", "a file is gone", "WAL written since is gone in the middle"]
)
def test_the_older_version_says_so_too(older: Stanza, damage: str) -> None:
    _refused(older, damage)


def _refused(stanza: Stanza, damage: str) -> None:
    receipt = stanza.verify(stanza.damaged(HOW[damage]))
    found = [one.said for one in receipt.missing]
    assert receipt.level is EvidenceLevel.LISTED
    assert any(words(damage, "pgbackrest") in said for said in found), found


def test_a_backup_of_another_server_is_refused(stanza: Stanza) -> None:
    adapter = stanza.adapter(stanza.archive.folder / "repository.conf", "shop")
    (line,) = proven(adapter, stanza.archive.look(system_identifier="7")).missing
    assert words("it is of another server", "pgbackrest") in line.said


@pytest.mark.parametrize(
    ("place", "said"),
    [("shop/20200101-000000F", "has no backup 20200101-000000F"), ("nothing", "missing stanza path")],
)
def test_what_is_not_there_is_no_backup(stanza: Stanza, place: str, said: str) -> None:
    with pytest.raises(ExpectationError, match=said):
        stanza.verify(stanza.archive.folder / "repository.conf", place)


def test_a_list_of_backups_with_another_byte_is_no_backup(stanza: Stanza) -> None:
    with pytest.raises(ExpectationError, match=words("its description was cut or changed", "pgbackrest")):
        stanza.verify(stanza.damaged(lambda repository, _: _flip_info(repository)))


def test_without_the_right_pass_phrase_it_is_said_why(newer: Stanza, monkeypatch: pytest.MonkeyPatch) -> None:
    config = newer.archive.folder / "repository.conf"
    monkeypatch.setenv("PGBACKREST_REPO1_CIPHER_PASS", "of another")
    with pytest.raises(ExpectationError, match=r"backup\.info"):
        newer.verify(config)
    monkeypatch.delenv("PGBACKREST_REPO1_CIPHER_PASS")
    with pytest.raises(ExpectationError, match="requires option: repo1-cipher-pass"):
        newer.verify(config)


def test_recovery_stops_where_it_is_told_or_the_copy_is_refused(stanza: Stanza) -> None:
    config = stanza.archive.folder / "repository.conf"
    receipt = stanza.verify(config, until="name:point_2")
    assert receipt.level is EvidenceLevel.CANARY, receipt.missing
    missed = stanza.verify(config, until="name:point_9")
    (line,) = missed.missing
    assert missed.level is EvidenceLevel.READ
    assert words("recovery does not get where it shall", "pgbackrest") in line.said
    with pytest.raises(SetupError, match="is no place to stop"):
        stanza.verify(config, until="yesterday")


def test_a_program_that_says_nothing_and_exits_0_proves_nothing(stanza: Stanza, tmp_path: Path) -> None:
    adapter = stanza.adapter(stanza.archive.folder / "repository.conf", "shop", program="true")
    with pytest.raises(ExpectationError, match=words("the restore exits 0 and made nothing", "pgbackrest")):
        proven(adapter, stanza.archive.look())
    adapter = stanza.adapter(
        stanza.archive.folder / "repository.conf", "shop", program=str(tmp_path / "none")
    )
    with pytest.raises(ExpectationError, match=r"no program .* is here"):
        proven(adapter, stanza.archive.look())
