"""Programs of others, let loose on a database of its own: what `tools/other_tools.py` tries with."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from debian_programs import Program, unpack
from other_tools_list import TOOLS, Tool
from psycopg.conninfo import conninfo_to_dict

from pgrehearse.connections import Connection, connect
from pgrehearse.errors import SetupError
from pgrehearse.execution.databases import Databases
from pgrehearse.servers import Server
from pgrehearse.servers.cache import building, subdirectory
from pgrehearse.text.front_matter import Database
from pgrehearse.text.project import Project
from pgrehearse.text.split import Statement, split
from pgrehearse.text.statement import classify

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.multiplexer import forwarder_before  # noqa: E402

SOURCE = ROOT / "other-tools"
EVIDENCE = ROOT / "evidence" / "other-tools.json"
_LIMIT = 300  # seconds for one command of a tool


#: Change -> a query that is true when it was made.
CHANGES = {
    "index-create": "SELECT indisvalid FROM pg_index"
    " WHERE indexrelid = to_regclass('wishlist_items_store_price_idx')",
    "constraint-not-null": "SELECT attnotnull AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname ="
    " 'updated_at_is_set') FROM pg_attribute WHERE attrelid = 'wishlist_items'::regclass"
    " AND attname = 'updated_at'",
    "enum-add-value": "SELECT count(*) = 5 FROM wishlist_items WHERE store::text = 'kickstarter'",
}
_BEFORE = (
    "ALTER TABLE wishlist_items ADD COLUMN updated_at timestamptz DEFAULT now();"
    "UPDATE wishlist_items SET url = 'https://www.kickstarter.com/projects/' || id"
    " WHERE id IN (SELECT id FROM wishlist_items ORDER BY id LIMIT 5)"
)
_SENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*)")
#: Tables of the tools' own, and savepoints of a driver's questions.
_THEIRS = re.compile(
    r"_pg3_\d|alembic_version|django_migrations|django_content_type|knex_migrations|pgmigrations|SequelizeMeta"
    r'|"migrations"|schema_migrations|ar_internal_metadata|"drizzle"|databasechangelog|PREPARE'
)


def digest(change: str, name: str) -> str:
    """16 hex digits of what is executed: the files of ``change`` and those that all changes share."""
    found = hashlib.sha256(repr(TOOLS[name]).encode())
    for file in files(change, name):
        found.update(f"{file.relative_to(SOURCE)}\0".encode() + file.read_bytes())
    return found.hexdigest()[:16]


def files(change: str, name: str) -> list[Path]:
    """The files of a tool in general, then those of ``change``, in the order in which they run."""
    shared = sorted(path for path in (SOURCE / name).iterdir() if path.is_file())
    return [*shared, *sorted((SOURCE / name / change).iterdir())]


class Bench:
    """One server on which tools run, each change on a copy of its own."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.databases = Databases(server, Project.find(ROOT))

    @contextmanager
    def place(self, name: str, change: str, without: str = "") -> Iterator[Place]:
        """A folder of the tool ``name`` with ``change``, and a database; ``without``: a file left out."""
        database = self.databases.fresh(Database(rows=100), "tools")
        with tempfile.TemporaryDirectory(prefix="pgrehearse-tools-") as made, ExitStack() as stack:
            folder, tool = Path(made), TOOLS[name]
            (folder / tool.folder).mkdir(parents=True)
            for path, text in tool.made.items():
                (folder / path).write_text(text, encoding="utf-8")
            for file in files(change, name):
                inside = file.parent.name == change or re.match(r"\d", file.name)
                if file.name != without:
                    shutil.copy(file, folder / (tool.folder if inside else "") / file.name)
            if tool.address:
                self._address(stack, folder, tool.address, database)
            with connect(self.server.dsn(database), autocommit=True) as connection:
                connection.execute(_BEFORE)
                connection.execute(f"ALTER DATABASE {database} SET log_statement = 'all'")  # letters, digits
                yield Place(tool, installed(name), folder, self.server, database, connection)
        self.databases.drop(database)

    def _address(self, stack: ExitStack, folder: Path, written: str, database: str) -> None:
        """Put the address of ``database`` where the settings hold ``written``; our servers listen nowhere."""
        # The first of two runs is silent for as long as the second one needs to start, which is Java.
        reached = conninfo_to_dict(
            stack.enter_context(forwarder_before(self.server.dsn(database), 2 * _LIMIT))
        )
        for file in (path for path in folder.iterdir() if path.is_file()):
            here = f"{reached['host']}:{reached['port']}/{database}"
            file.write_text(file.read_text("utf-8").replace(written, here), encoding="utf-8")


@dataclass
class Place:
    """Where a tool runs. ``connection``: another session of the same database."""

    tool: Tool
    programs: Path
    folder: Path
    server: Server
    database: str
    connection: Connection

    def begun(self, words: tuple[str, ...]) -> subprocess.Popen[str]:
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        more = {"NODE_PATH": str(self.programs.parent)} if self.tool.npm else {}
        if self.tool.debian:
            tree = _tree(self.programs, self.tool.debian)
            more, path = _ruby(tree), f"{path}{os.pathsep}{tree / 'usr/bin'}"
        more["JAVA_OPTS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # it starts in half the time
        env = {"HOME": str(self.folder), "PATH": path, **more, **self.server.env(self.database)}
        if self.tool.lists:
            self.tool.lists(self.folder / self.tool.folder)
        if self.tool.npm and not (self.folder / "node_modules").exists():
            (self.folder / "node_modules").symlink_to(self.programs.parent)
        return subprocess.Popen(
            words, cwd=self.folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, *, again: bool = False) -> tuple[int, str]:
        """Status and output of the first command that fails, else of the last; ``again``: of that alone."""
        for words in self.tool.commands[-1:] if again else self.tool.commands:
            process = self.begun(words)
            said = process.communicate(timeout=_LIMIT)[0]
            if process.returncode:
                break
        return process.returncode, said

    def one(self, query: str) -> Any:
        row = self.connection.execute(query).fetchone()
        return row[0] if row else None

    def looked(self) -> int:
        """How many times a run looked whether another one is at work, if it tells by that that it waits."""
        return len(re.findall(self.tool.looks, self.server.log_tail(100_000))) if self.tool.looks else 0

    def sent(self) -> list[str]:
        """What the tool sent since logging began, without what it only asks and without its own tables."""
        lines = self.server.log_tail(100_000).splitlines()
        found: list[str] = []
        for line in lines:
            if match := _SENT.search(line):
                found.append(match[1])
            elif line.startswith("\t") and found:
                found[-1] += f"\n{line[1:]}"
        kept = [text.strip().rstrip(";") for text in found if not _THEIRS.search(text)]
        return without_empty([text for text in kept if any(map(_changes, split(text)))])


def _changes(statement: Statement) -> bool:
    kind = classify(statement)
    timeout = any("timeout" in setting.name for setting in kind.settings)
    return works(statement) or kind.control is not None or timeout


def works(statement: Statement) -> bool:
    """Whether it changes the schema or rows."""
    kind = classify(statement)
    return kind.ddl or kind.changes_rows


def without_empty(statements: list[str]) -> list[str]:
    """Without transactions in which nothing else was sent."""
    found: list[str] = []
    for text in statements:
        if (
            text.upper().startswith(("COMMIT", "ROLLBACK"))
            and found
            and found[-1].upper().startswith("BEGIN")
        ):
            found.pop()
        else:
            found.append(text)
    return found


def installed(name: str) -> Path:
    """The folder of the tool's programs. Raises SetupError."""
    tool = TOOLS[name]
    if tool.debian:
        programs = unpack([tool.debian])[0].parent
        gem = tool.pins[0].replace("@", "-")
        if not list(_tree(programs, tool.debian).glob(f"usr/share/rubygems-integration/*/gems/{gem}")):
            raise SetupError(f"Debian's {tool.debian.suite} has no {gem}", next_step="pin what it has")
        return programs
    place = subdirectory("other-tools") / hashlib.sha256(repr(tool.pins).encode()).hexdigest()[:16]
    with building(place) as scratch:
        if scratch is not None:
            fresh = scratch / "new"
            if tool.npm:
                fresh.mkdir()
                _got("npm", "install", "--prefix", str(fresh), "--no-audit", "--no-fund", *tool.pins)
            else:
                _got(sys.executable, "-m", "venv", str(place))  # its programs know where they are
                _got(str(place / "bin" / "python"), "-m", "pip", "install", "-q", *tool.pins)
                return place / "bin"
            fresh.rename(place)
    return place / ("node_modules/.bin" if tool.npm else "bin")


def _tree(programs: Path, program: Program) -> Path:
    return programs.parent / str(program)


def _ruby(tree: Path) -> dict[str, str]:
    """Where an unpacked Ruby finds its libraries: it looks for them as installed."""
    shares = tree / "usr/share/rubygems-integration"
    gems = [shares / "all", *shares.glob("[0-9]*"), *tree.glob("usr/lib/ruby/gems/*")]
    plain = [tree / "usr/lib/ruby/vendor_ruby", *tree.glob("usr/lib/ruby/[0-9]*")]
    built = [*tree.glob("usr/lib/*/ruby/[0-9]*"), *tree.glob("usr/lib/*/ruby/vendor_ruby/[0-9]*")]
    join = os.pathsep.join
    return {"GEM_PATH": join(map(str, gems)), "RUBYLIB": join(map(str, [*plain, *built]))}


def _got(*words: str) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=_LIMIT)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SetupError(f"{words[0]} could not get {words[-1]}: {said}", next_step="look at the network")
