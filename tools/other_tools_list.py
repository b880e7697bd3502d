"""Programs of others that `tools/other_tools.py` tries: where they come from, and how one runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from debian_programs import Program

__all__ = ["TOOLS", "Tool"]


@dataclass(frozen=True)
class Tool:
    """``pins``: what is installed, the tool itself first. ``folder``: where its migrations go.

    What is below ``made`` is no part of what the evidence is keyed by: it says how we get on with the tool.
    """

    title: str
    pins: tuple[str, ...]
    folder: str
    commands: tuple[tuple[str, ...], ...]
    npm: bool = False
    #: files beside the migrations, written here and not shown
    made: dict[str, str] = field(default_factory=dict)
    #: makes the tool's own list of the migrations in a folder, which `files` do not hold
    lists: Callable[[Path], None] | None = field(default=None, repr=False)
    #: what stands in its settings for ``host:port/database``: it comes by TCP alone
    address: str = field(default="", repr=False)
    #: what a run sends that finds another one at work, and will look again later
    looks: str = field(default="", repr=False)
    #: comes from Debian, unpacked beside the system
    debian: Program | None = field(default=None, repr=False)
    #: what it says of itself, where the package has another number
    version: str = field(default="", repr=False)


def _journal(folder: Path) -> None:
    """Drizzle's list: `drizzle-kit generate --custom` writes it, with the moment at which it did."""
    entries = [
        {
            "idx": at,
            "version": "7",
            "when": 10**12 + int(file.name[:4]),
            "tag": file.stem,
            "breakpoints": True,
        }
        for at, file in enumerate(sorted(folder.glob("*.sql")))
    ]
    (folder / "meta").mkdir(exist_ok=True)
    text = json.dumps({"version": "7", "dialect": "postgresql", "entries": entries})
    (folder / "meta" / "_journal.json").write_text(text, encoding="utf-8")


#: What a Rails application has of itself: `bin/rails db:migrate` runs this task.
_RAKEFILE = """\
require "active_record"
require "yaml"
include ActiveRecord::Tasks

DatabaseTasks.root = __dir__
DatabaseTasks.env = "production"
DatabaseTasks.db_dir = "db"
DatabaseTasks.migrations_paths = ["db/migrate"]
ActiveRecord.dump_schema_after_migration = false
ActiveRecord::Base.configurations = YAML.load_file("database.yml")
task(:environment) { ActiveRecord::Base.establish_connection(:production) }
load "active_record/railties/databases.rake"
"""
_RUBY = (
    "rake ruby-activemodel ruby-activerecord ruby-activesupport ruby-base64 ruby-concurrent"
    " ruby-connection-pool ruby-csv ruby-i18n ruby-minitest ruby-pg ruby-tzinfo rubygems-integration"
    " ruby-rubygems"
)
_DJANGO = ("python", "-m", "django", "migrate", "--settings=settings", "--verbosity=1", "shop")
TOOLS = {
    "alembic": Tool(
        "Alembic",
        ("alembic==1.20.1", "sqlalchemy==2.1.9", "psycopg[binary]==3.3.9"),
        "versions",
        (("python", "-m", "alembic", "upgrade", "head"),),
        made={"alembic.ini": "[alembic]\nscript_location = .\npath_separator = os\n"},
    ),
    "django": Tool(
        "Django",
        ("django==5.2.19", "psycopg[binary]==3.3.9"),
        "shop/migrations",
        ((*_DJANGO, "0001", "--fake"), _DJANGO),
        made={"shop/__init__.py": "", "shop/migrations/__init__.py": ""},
    ),
    "knex": Tool(
        "Knex",
        ("knex@3.3.0", "pg@8.16.3"),
        "migrations",
        (("knex", "migrate:latest", "--knexfile", "knexfile.mjs"),),
        npm=True,
    ),
    "node-pg-migrate": Tool(
        "node-pg-migrate",
        ("node-pg-migrate@9.0.0", "pg@8.16.3"),
        "migrations",
        (("node-pg-migrate", "up", "--no-single-transaction"),),
        npm=True,
    ),
    "sequelize": Tool(
        "Sequelize",
        ("sequelize@6.37.8", "sequelize-cli@6.6.5", "pg@8.16.3"),
        "migrations",
        (("sequelize-cli", "db:migrate", "--config", "config.cjs"),),
        npm=True,
    ),
    "typeorm": Tool(
        "TypeORM",
        ("typeorm@1.1.1", "pg@8.16.3"),
        "migrations",
        (("typeorm", "migration:run", "--dataSource", "data-source.cjs"),),
        npm=True,
    ),
    "rails": Tool(
        "Rails",
        ("activerecord@7.2.2.2",),
        "db/migrate",
        (("ruby3.3-3.3", "-S", "rake", "db:migrate"),),
        made={"Rakefile": _RAKEFILE},
        debian=Program("ruby3.3", "trixie", "3.3", more=tuple(_RUBY.split())),
    ),
    "drizzle": Tool(
        "Drizzle",
        ("drizzle-kit@0.31.11", "drizzle-orm@0.45.4", "pg@8.16.3"),
        "drizzle",
        (("drizzle-kit", "migrate", "--config", "drizzle.config.mjs"),),
        npm=True,
        lists=_journal,
    ),
    "liquibase": Tool(
        "Liquibase",
        ("liquibase@4.28.1",),  # with PostgreSQL's driver for Java; Java itself has to be there
        "changelog",
        (("sh", "node_modules/liquibase/dist/liquibase/liquibase", "update"),),
        npm=True,
        address="db.example:5432/shop",
        looks=r"SELECT LOCKED FROM \S*databasechangeloglock",
        version="4.28.0",
    ),
}
