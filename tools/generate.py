"""Rewrite the generated parts of the reference pages; with ``--check`` only say which are out of date.

A generated part stands between ``<!-- generated: NAME -->`` and ``<!-- end of generated -->``. What it holds
comes from the program itself, so that help, options, rules and exit statuses cannot differ from the pages.
``--check`` never writes; without it nothing is only checked.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import difflib
import html
import json
import re
import runpy
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click
import other_tools_page

import pgrehearse.text
from pgrehearse import errors, files, pytest_plugin, sealed
from pgrehearse.backup.adapters import ADAPTERS, adapter
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.own_command import FORMS
from pgrehearse.backup.physical import DISARMED
from pgrehearse.environments.names import ENVIRONMENTS
from pgrehearse.environments.permissions import RULES
from pgrehearse.findings import Finding
from pgrehearse.main import cli
from pgrehearse.promotion.gate_table import GATES
from pgrehearse.promotion.transitions import transitions
from pgrehearse.site.parts.fact_lines import majors_range
from pgrehearse.status import as_json
from pgrehearse.status.fact_table import FACTS
from pgrehearse.text import options

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("docs/reference", "docs/guides")
WIDTH = 80
_PART = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[a-z -]+) -->\n)(?P<body>.*?)(?P<end><!-- end of generated -->\n)",
    re.S,
)


class Stale(Exception):
    """Something about the pages or this tool must be mended by hand."""


# --- help ---------------------------------------------------------------------------------------------


def _help(name: str | None) -> str:
    """``pgrehearse NAME --help`` as a terminal of 80 columns shows it."""
    settings = {"terminal_width": WIDTH, "max_content_width": WIDTH, "help_option_names": ["-h", "--help"]}
    top = click.Context(cli, info_name="pgrehearse", **settings)
    if name is None:
        return f"```text\n{cli.get_help(top)}\n```"
    command: click.Command = cli
    context = top
    for word in name.split():
        assert isinstance(command, click.Group)
        found = command.get_command(context, word)
        assert found is not None
        command, context = found, click.Context(found, parent=context, info_name=word, **settings)
    return f"```text\n{command.get_help(context)}\n```"


def _commands() -> list[str]:
    """Every command and subcommand by the words that call it."""
    found = []
    for name in cli.list_commands(click.Context(cli)):
        found.append(name)
        command = cli.get_command(click.Context(cli), name)
        if isinstance(command, click.Group):
            found += [f"{name} {word}" for word in command.list_commands(click.Context(command))]
    return found


class _Parser:
    """Takes the options the pytest plugin adds."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def getgroup(self, *_: str) -> _Parser:
        return self

    def addoption(self, name: str, **facts: str) -> None:
        value = facts.get("metavar")
        self.rows.append((f"`{name} {value}`" if value else f"`{name}`", facts["help"]))


def _pytest_options() -> str:
    parser = _Parser()
    pytest_plugin.pytest_addoption(parser)  # type: ignore[arg-type]
    return _table(("option", "meaning"), parser.rows)


# --- cell options ---------------------------------------------------------------------------------------

#: What an option means; its values and languages come from the program.
_OPTIONS = {
    "blocks": ("Claim: whom the statement keeps waiting. Checked by `pgrehearse measure`.", "writes"),
    "exit": ("The exit status of the last command; another one is red. Default: 0.", "1"),
    "expect": ("The last statement raises this SQLSTATE; nothing raised is red.", "55P03"),
    "lock": (
        "Claim: the strongest lock on each relation named. Checked by `pgrehearse measure`.",
        "wishlist_items: SHARE",
    ),
    "name": ("A name for the cell, unique in the document.", "first-look"),
    "needs": (
        "The first server major it runs on. On an older one it is skipped, and the page says so.",
        "17",
    ),
    "rewrite": ("Claim: whether a table or index gets a new file.", "no"),
    "scan": ("Claim: whether a relation is read whole.", "yes"),
    "session": ("The connection it runs in.", "app"),
    "snippet": (
        "Its text is that of the file of that name: `snippets/sql/NAME.sql`, `snippets/bash/NAME.sh`.",
        "lock-queue",
    ),
    "timeout": (
        "How long the cell may take in a test or a rehearsal: 60 s without it. An operator is not limited.",
        "5min",
    ),
    "until": ("The last server major it runs on.", "16"),
    "wait": ("The statement must block on this session. It completes in a later cell.", "app"),
}


def _cell_options() -> str:
    _same("cell options", set(_OPTIONS), set(options.known_options()))
    rows = []
    for key, (meaning, example) in sorted(_OPTIONS.items()):
        problems = {name: _problem(f'{name} {key}="{example}"') for name in options.LANGUAGES}
        assert None in problems.values(), f"the example of {key} is no valid value"
        languages = ", ".join(name for name, problem in problems.items() if problem is None)
        wrong = _problem(f'{languages.split(",")[0]} {key}=""')
        assert wrong is not None, f"{key} takes an empty value"
        value = wrong.next_step.removeprefix("give ")
        default = _default(key)
        said = f"{meaning} Default: `{default}`." if default is not None else meaning
        rows.append((f'`{key}="{example}"`', languages, said, value))
    return _table(("option", "cells", "meaning", "value"), rows)


def _problem(info: str) -> Finding | None:
    return next(iter(options.parse_header(info)[1]), None)


def _default(key: str) -> object:
    fields = {field.name: field.default for field in dataclasses.fields(options.CellOptions)}
    return fields[key]


# --- lint rules -----------------------------------------------------------------------------------------

#: Why each rule is there. Which there are, and what they stop, comes from the program.
_RULES = {
    "blank-line": "The notebook loses a line of blanks; on the site, text right above a block swallows it.",
    "duplicate-name": "Two cells have the same `name`.",
    "empty-cell": "A block without a statement looks executed and proves nothing.",
    "executing-fence": "jupytext makes a cell of this language; nothing here executes it.",
    "fence-style": "A block is indented, opens with anything but three backticks, or ends differently.",
    "header": "The header is not of the form this page describes.",
    "html-comment": "A block in a comment is invisible on the site and runs in the notebook.",
    "illustration-reason": "A block that does not run must tell the reader why, in its `title`.",
    "inline-code": "Inline code in a language, such as `#!sql`, looks like SQL that was run.",
    "jupytext-language": "Without `main_language` the notebook's language is a majority vote.",
    "jupytext-line": "jupytext takes a line of prose for something of its own.",
    "language-alias": "`plsql`, `py` or text that reads like SQL looks like a cell, and nothing runs it.",
    "language-case": "`SQL` is the same language to a reader, and another one to the programs.",
    "control-character": "An invisible character cuts or hides what is sent; the program reads no such file.",
    "line-endings": "With CRLF the same block has two texts.",
    "macro-in-fence": "A block must be what it shows; a macro would change it.",
    "option-order": "The keys are not in alphabetical order, or one stands twice.",
    "option-value": "The option does not take this value, or not in this language.",
    "output-header": "A block below a cell, before the next one or a heading, is its output to a reader.",
    "parameter-kind": "The cells of a runbook read a parameter as a name, and its `kind` does not say so.",
    "phases": "A phase of a runbook is missing, empty or out of order, or a step is not for one session.",
    "python": "The cell is not Python.",
    "raw-html": "An element that stays open hides what follows; `<pre>` shows what nothing ran.",
    "recording-cell": "A recording of the front matter names a cell that is not there.",
    "reserved-option": "The key belongs to jupytext.",
    "runbook-macro": "A runbook is a notebook too, where a macro means nothing.",
    "sql": "psql could not send it: a quote is open, or it is a psql command other than `\\gexec`.",
    "triple-quote": "The notebook takes three quotes in a row for a string that never ends.",
    "unclosed-fence": "The rest of the page is inside the block.",
    "undeclared-parameter": "`:'name'` is no parameter of the front matter.",
    "unknown-option": "There is no such option.",
    "unquoted-parameter": "`:name` would let a value change the statement.",
    "unused-parameter": "No cell uses the parameter.",
    "wait-session": "`wait` names no other session that an earlier cell uses.",
}
#: Position of the rule among the arguments.
_CALLS = {"flaw": 1, "here": 0}


def _lint_rules() -> str:
    found: dict[str, set[bool]] = {}
    for rule, style in _rules_in_source():
        found.setdefault(rule, set()).add(style)
    _same("lint rules", set(_RULES), set(found))
    stops = {(False,): "runs", (True,): "the gate", (False, True): "runs or the gate"}
    rows = [(f"`{rule}`", stops[tuple(sorted(found[rule]))], why) for rule, why in sorted(_RULES.items())]
    return _table(("rule", "stops", "because"), rows)


def _rules_in_source() -> Iterator[tuple[str, bool]]:
    """(rule, whether it is style) of every complaint the text layer can make."""
    for file in sorted(Path(next(iter(pgrehearse.text.__path__))).glob("*.py")):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            position = _CALLS.get(call.func.id)
            if position is None or len(call.args) <= position:
                continue
            rule = call.args[position]
            if isinstance(rule, ast.Constant) and isinstance(rule.value, str):
                style = any(k.arg == "style" and ast.unparse(k.value) == "True" for k in call.keywords)
                yield rule.value, style


# --- errors ---------------------------------------------------------------------------------------------

_WHOSE = {
    "ExpectationError": (
        "the document's",
        "Read the line that is named. Mend the statement or what it claims.",
    ),
    "DocumentError": ("the author's", "Mend the document, snippet or option at the line that is named."),
    "SetupError": ("the operator's", "Look at the server, the database, the DSN or the permission."),
    "PgRehearseError": ("ours", "Report it with the lines that were printed."),
}


def _exit_statuses() -> str:
    tree = {
        kind.__name__: kind for kind in (errors.PgRehearseError, *errors.PgRehearseError.__subclasses__())
    }
    _same("errors", set(_WHOSE), set(tree))
    rows = [("0", "", "nobody's", "Everything was as written.")]
    for name, (whose, cure) in _WHOSE.items():
        rows.append((str(tree[name].exit_code), f"`{name}`", whose, cure))
    rows.append(("2", "", "the caller's", "Read the usage line: an option or argument is wrong."))
    rows.append(("130", "", "nobody's", "Ctrl-C, SIGTERM or SIGHUP ended it. Run it again to go on."))
    rows.append(
        ("141", "", "nobody's", "What read the output, such as `head`, ended before it was all written.")
    )
    rows.sort(key=lambda row: int(row[0]))
    return _table(("exit status", "raised as", "whose mistake", "what to do"), rows)


# --- environments ---------------------------------------------------------------------------------------


def _environments() -> str:
    rows = [
        (rule.what, *(rule.verdicts[name].value for name in ENVIRONMENTS), rule.why)
        for rule in RULES.values()
    ]
    return _table(("operation", *(f"`{name}`" for name in ENVIRONMENTS), "because"), rows)


# --- promotion ------------------------------------------------------------------------------------------


def _gates() -> str:
    rows = []
    for name, gate in GATES.items():
        left_out = "no" if gate.always else f'`without = ["{name}"]`'
        asked = ("every", "all but the first", "all but the first two")[gate.since]
        rows.append((f"`{name}`", gate.asks, gate.answered, asked, left_out))
    return _table(("gate", "asks whether", "answered by", "environments", "can be left out"), rows)


def _backup_levels() -> str:
    rows = [(f"`{level.word}`", level.said, level.means) for level in EvidenceLevel]
    return _table(("word", "level", "what was done"), rows)


def _backup_adapters() -> str:
    rows = []
    for name in ADAPTERS:
        found = adapter(name)
        known = "<br>".join(f"`{option}`: {means}" for option, means in found.knows.items())
        rows.append((f"`{name}`", found.makes, found.needs, known))
    return _table(("adapter", "makes and reads", "programs", "options"), rows)


def _backup_command() -> str:
    rows = []
    for word, (does, holds) in FORMS.items():
        rows.append((f"`{word}`", does, "<br>".join(f"`{name}`: {means}" for name, means in holds.items())))
    return _table(("it is called with", "and shall", "prints an object with"), rows)


def _backup_damages() -> str:
    refused = runpy.run_path(str(ROOT / "tests" / "support" / "damages.py"))["REFUSED"]
    good = ("nothing is wrong", *("canary read back" for _ in ADAPTERS))
    rows = [
        (damage, *(f"*… {by[name].strip('…')} …*" if name in by else "" for name in ADAPTERS))
        for damage, by in refused.items()
    ]
    return _table(("what was done", *(f"`{name}`" for name in ADAPTERS)), [good, *rows])


def _backup_copy() -> str:
    rows = [(f"`{name}`", f"`{value}`" if value else "empty", why) for name, (value, why) in DISARMED.items()]
    return _table(("setting", "in the copy", "because"), rows)


def _attacks() -> str:
    known = runpy.run_path(str(ROOT / "tests" / "support" / "attacks.py"))
    rows = [
        (
            one.what + (f" ({one.since} on)" if one.since else ""),
            *(f"`{one.by[role]}`" if role in one.by else "" for role in known["ROLES"]),
        )
        for one in known["ATTACKS"]
    ]
    return _table(("tries to", *known["ROLES"]), rows)


def _transitions() -> str:
    rows = [
        (
            f"`{one.action}`",
            f"`{one.before}`" if one.before else "",
            f"`{one.after}`",
            " or ".join(one.roles),
            one.demands,
        )
        for one in transitions()
    ]
    return _table(("action", "from", "to", "by a", "only if"), rows)


# --- status ---------------------------------------------------------------------------------------------


def _facts() -> str:
    rows = [
        (
            f"`{name}`",
            rule.says,
            rule.red or "nothing",
            "every" if rule.everywhere else "the environment's own",
        )
        for name, rule in FACTS.items()
    ]
    return _table(("fact", "says", "needs a person", "databases"), rows)


def _status_schema() -> str:
    return f"```json\n{_compact(as_json.schema())}\n```"


def _compact(value: object, depth: int = 0) -> str:
    """JSON with whatever fits a line on one."""
    line = json.dumps(value)
    if len(line) + depth <= 110 or not isinstance(value, (dict, list)):
        return line
    pad, ends = " " * (depth + 1), "{}" if isinstance(value, dict) else "[]"
    parts = (
        [f"{json.dumps(key)}: {_compact(one, depth + 1)}" for key, one in value.items()]
        if isinstance(value, dict)
        else [_compact(one, depth + 1) for one in value]
    )
    inside = f",\n{pad}".join(parts)
    return f"{ends[0]}\n{pad}{inside}\n{' ' * depth}{ends[1]}"


# --- samples --------------------------------------------------------------------------------------------

#: Shown as they are written, headers and all, which no fence can show. The tests lint and run them.
SAMPLES = Path(__file__).parent / "samples"


def _sample(file: Path) -> str:
    """One line of HTML: a fence inside a fence is read differently by each of the programs."""
    text = html.escape(file.read_text("utf-8").rstrip("\n"), quote=False)
    shown = text.replace("`", "&#96;").replace("\n", "&#10;")
    return f'<pre title="A sample of the format"><code>{shown}</code></pre>'


# --- documents ----------------------------------------------------------------------------------------


def _documents() -> str:
    """What `tools/documents_run.py` committed: a row for each major."""
    head = ("PostgreSQL", "documents", "blocks that ran", "skipped", "seconds", "on")
    rows = []
    for _, found in sorted(sealed.read(ROOT / "evidence" / "documents.json")["majors"].items()):
        of = list(found["documents"].values())
        skipped: Counter[str] = Counter()
        for document in of:
            skipped.update(document["skipped"])
        ran = f"{sum(document['passed'] for document in of):,}"
        why = "<br>".join(f"{number} {reason}" for reason, number in sorted(skipped.items()))
        rows.append(
            (found["version"], str(len(of)), ran, why or "none", str(found["seconds"]), found["date"])
        )
    return _table(head, rows)


# --- poolers ------------------------------------------------------------------------------------------


def _poolers() -> str:
    """What `tools/pooler_matrix.py` measured: a row for each feature, a column for each mode."""
    found = sealed.read(ROOT / "evidence" / "poolers.json")
    names, majors = found["pgbouncer"], list(map(int, found["postgresql"]))
    head = f"PgBouncer {_listed(names.values())}; PostgreSQL {_listed(found['postgresql'].values())}."
    modes = list(next(iter(found["features"].values())))
    rows = [
        (feature, *(_outcomes(by[mode], names, majors) for mode in modes))
        for feature, by in found["features"].items()
    ]
    return f"{head}\n\n{_table(('feature', *modes), rows)}"


def _outcomes(outcomes: dict[str, dict[str, list[int]]], names: dict[str, str], majors: list[int]) -> str:
    """An outcome, or several with who came to each: poolers, and the servers' majors where those differ."""
    if len(outcomes) == 1:
        return next(iter(outcomes))
    said = []
    for outcome, by in outcomes.items():
        who = [
            _short(names[name]) + ("" if seen == majors else f" with {majors_range(list(map(str, seen)))}")
            for name, seen in by.items()
        ]
        said.append(f"{_listed(who)}: {outcome}")
    return "<br>".join(said)


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


# --- pages ----------------------------------------------------------------------------------------------


def generators() -> dict[str, Callable[[], str]]:
    """What each generated part is made by."""
    found: dict[str, Callable[[], str]] = {"help": lambda: _help(None)}
    found |= {f"help {name}": (lambda name=name: _help(name)) for name in _commands()}
    found |= {f"sample {file.stem}": (lambda file=file: _sample(file)) for file in SAMPLES.glob("*.md")}
    found |= {
        "gates": _gates,
        "backup levels": _backup_levels,
        "backup adapters": _backup_adapters,
        "backup command": _backup_command,
        "backup damages": _backup_damages,
        "backup copy": _backup_copy,
        "pytest options": _pytest_options,
        "transitions": _transitions,
        "attacks": _attacks,
        "cell options": _cell_options,
        "lint rules": _lint_rules,
        "exit statuses": _exit_statuses,
        "environments": _environments,
        "status facts": _facts,
        "status schema": _status_schema,
        "documents": _documents,
        "poolers": _poolers,
    }
    return found | other_tools_page.parts()


def run(root: Path, *, check: bool) -> list[str]:
    """Rewrite the pages below ``root``, or with ``check`` leave them. Returns what was or is out of date."""
    known = generators()
    used: set[str] = set()
    stale = []
    for page in sorted(page for folder in PAGES for page in (root / folder).glob("*.md")):
        text = page.read_text("utf-8")

        def made(part: re.Match[str], page: Path = page, text: str = text) -> str:
            name = part["name"]
            line = text.count("\n", 0, part.start()) + 1
            if name not in known:
                raise Stale(f"{page}:{line}: nothing generates {name!r}; known: {', '.join(sorted(known))}")
            used.add(name)
            body = f"\n{known[name]()}\n\n"
            if body != part["body"]:
                stale.append(f"{page.relative_to(root)}:{line}: {name}")
            return part["begin"] + body + part["end"]

        new = _PART.sub(made, text)
        if new != text and not check:
            files.write(page, new)
    if missing := sorted(set(known) - used):
        wanted = ", ".join(f"<!-- generated: {name} -->" for name in missing)
        raise Stale(f"no page in {' or '.join(PAGES)} has: {wanted}")
    return stale


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _same(what: str, written: set[str], real: set[str]) -> None:
    if written != real:
        near = difflib.unified_diff(
            sorted(written), sorted(real), "tools/generate.py", "program", n=0, lineterm=""
        )
        raise Stale(f"{what} differ between this tool and the program:\n" + "\n".join(near))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 65 when a part is out of date"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository; default: this one")
    given = parser.parse_args()
    try:
        stale = run(given.root, check=given.check)
    except Stale as error:
        print(f"error: {error}", file=sys.stderr)
        return 65
    for part in stale:
        print(f"{part} {'is out of date; run `make generate`' if given.check else 'rewritten'}")
    return 65 if given.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
