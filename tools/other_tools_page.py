"""The parts of the guide on other tools, from the files in ``other-tools/`` and from what came of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from other_tools_bench import CHANGES, EVIDENCE, SOURCE, TOOLS, digest, files

from pgrehearse import sealed
from pgrehearse.errors import DocumentError

__all__ = ["parts"]

_LANGUAGES = {
    ".py": ("python", "#"),
    ".cjs": ("javascript", "//"),
    ".mjs": ("javascript", "//"),
    ".rb": ("ruby", "#"),
    ".sql": ("sql", "--"),
    ".yml": ("yaml", "#"),
    ".yaml": ("yaml", "#"),
    ".properties": ("properties", "#"),
}
#: What a build would take for a cell.
_CELLS = ("python", "sql")
#: Those with a page of their own; the others stand side by side on a page for each change.
_OWN = ("rails", "drizzle", "liquibase")
_HEADINGS = {
    "index-create": "Create an index",
    "constraint-not-null": "Make a column NOT NULL",
    "enum-add-value": "Add a value to an enum",
}


def parts() -> dict[str, Callable[[], str]]:
    """What each generated part is made by."""
    found: dict[str, Callable[[], str]] = {"other tools": _summary, "other tools settings": _settings}
    found |= {f"other tools {change}": (lambda change=change: _change(change)) for change in CHANGES}  # type: ignore[misc]
    return found | {
        f"other tools of {name}": (lambda name=name: _own(name)) for name in _OWN if name in TOOLS
    }  # type: ignore[misc]


def _summary() -> str:
    known = sealed.read(EVIDENCE)
    head = "| tool | two runs at once | a file that is older than one applied |\n|---|---|---|\n"
    rows = "\n".join(
        f"| {TOOLS[name].title} {tool['version']} | "
        f"{_short(tool['two at once'])} | {_short(tool['late merge'])} |"
        for name, tool in known["tools"].items()
    )
    return f"{head}{rows}\n\nOn PostgreSQL {', '.join(known['postgresql'].values())}, each time the same."


def _settings() -> str:
    """The files that all changes of a tool share."""
    said = []
    for name, tool in TOOLS.items():
        if name not in _OWN and _shared(name):
            said.append(f"### {tool.title}'s settings\n\n{_block(_title(name), _shared(name))}")
    return "\n\n".join(said)


def _shared(name: str) -> list[Path]:
    return [file for file in sorted((SOURCE / name).iterdir()) if file.is_file()]


def _own(name: str) -> str:
    """The settings of one tool, then a section for each change."""
    said = [f"## Settings\n\n{_blocks(name, _shared(name))}"]
    said += [f"## {_HEADINGS[change]}\n\n{_made(name, change)}" for change in CHANGES]
    return "\n\n".join(said)


def _change(change: str) -> str:
    """A section for each tool that has no page of its own."""
    return "\n\n".join(
        f"## {tool.title}\n\n{_made(name, change)}" for name, tool in TOOLS.items() if name not in _OWN
    )


def _made(name: str, change: str) -> str:
    """The files of a tool, and what it sent. Raises DocumentError: they changed since."""
    known = sealed.read(EVIDENCE)["tools"]
    found: dict[str, Any] = known.get(name, {}).get("changes", {}).get(change, {})
    if found.get("digest") != digest(change, name):
        raise DocumentError(
            f"other-tools/{name}/{change} changed since it was executed",
            next_step=f"execute it: .venv/bin/python tools/other_tools.py --refresh {name}",
        )
    own = [file for file in files(change, name) if file.parent.name == change]
    said = f"What {TOOLS[name].title} {known[name]['version']} sent, by the server's log"
    sent = "\n".join(f"{text};" for text in found["sent"])
    return f'{_blocks(name, own)}\n\n```{{.sql .noeval title="{said}"}}\n{sent}\n```'


def _title(name: str) -> str:
    """Who executed a block: a build of the site does not."""
    known = sealed.read(EVIDENCE)
    majors = list(known["postgresql"])
    version = known["tools"][name]["version"]
    return f"Executed by {TOOLS[name].title} {version} on PostgreSQL {majors[0]} to {majors[-1]}"


def _blocks(name: str, shown: list[Path]) -> str:
    """Files of one language stand together."""
    kinds = dict.fromkeys(file.suffix for file in shown)
    return "\n\n".join(
        _block(_title(name), [file for file in shown if file.suffix == kind]) for kind in kinds
    )


def _block(title: str, shown: list[Path]) -> str:
    """All of ``shown`` as one block, each below its name."""
    language, comment = _LANGUAGES[shown[0].suffix]
    texts = [f"{comment} {file.name}\n{file.read_text('utf-8').strip()}" for file in shown]
    text = ("\n\n\n" if language == "python" else "\n\n").join(texts)
    classes = f".{language} .noeval" if language in _CELLS else f".{language}"
    return f'```{{{classes} title="{title}"}}\n{text}\n```'


def _short(text: str) -> str:
    """For a cell of a table: of a tool's own message the first sentence."""
    said, colon, message = text.partition(": ")
    return f"{said}{colon}{re.split('[;.] ', message)[0].rstrip('.')}".replace("|", "\\|")
