"""A second opinion: Squawk reads the up parts, without the rules that contradict what is measured here.

Squawk (https://squawkhq.com, Apache-2.0 or MIT) knows statements and no database: it cannot see rows, a
validated CHECK, or which tables are empty. What it says is shown and decides nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import SetupError
from pgrehearse.findings import Finding, Severity
from pgrehearse.text.migration_files import Migration

__all__ = ["OFF", "Opinion", "ask"]

#: Rule of Squawk -> why it is switched off. Checked with squawk 2.70.0; the guide shows the facts.
OFF = {
    "prefer-robust-stmts": "IF NOT EXISTS on a concurrent build takes its INVALID remains for success",
    "require-lock-timeout": "asks for a lock_timeout on concurrent builds, which then leave an INVALID index;"
    " the check lock-timeout asks where somebody waits",
    "require-statement-timeout": "ends long builds and validations that lock no reader or writer out",
    "require-enum-value-ordering": "a value at the end is no mistake",
    "adding-not-nullable-field": "cannot see the validated CHECK that makes SET NOT NULL read nothing",
    "changing-column-type": "cannot tell a wider varchar, which reads nothing, from a rewrite",
    "prefer-text-field": "a question of style; a wider varchar is measured by rewrite",
    "prefer-bigint-over-int": "a question of style",
    "prefer-bigint-over-smallint": "a question of style",
    "prefer-identity": "a question of style",
    "prefer-timestamp-tz": "a question of style",
}


@dataclass(frozen=True)
class Opinion:
    """All remarks; or ``missing``, why there are none."""

    version: str = ""
    said: tuple[Finding, ...] = ()
    missing: str = ""


def ask(migrations: Sequence[Migration], major: int | None = None) -> Opinion:
    """Squawk's remarks on the up parts of ``migrations``. Raises SetupError when it runs and fails."""
    program = _find()
    if program is None:
        return Opinion(missing="it is not installed; python -m pip install squawk-cli")
    version = _run([program, "--version"], "").strip()
    said = [remark for migration in migrations for remark in _about(program, version, migration, major)]
    return Opinion(version, tuple(said))


def _find() -> str | None:
    """Beside this Python first: the one that was installed with this project."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("squawk", path=os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]))


def _about(program: str, version: str, migration: Migration, major: int | None) -> list[Finding]:
    section = migration.up
    command = [
        program,
        "--reporter",
        "json",
        "--stdin-filepath",
        migration.label,
        f"--exclude={','.join(OFF)}",
    ]
    command += [f"--pg-version={major}"] if major else []
    command += ["--assume-in-transaction"] if section.transaction else []
    text = _run(command, section.sql, fails=True)
    try:
        remarks = json.loads(text)
        return [
            Finding(
                " ".join(remark["message"].split()),
                migration.path,
                section.line + remark["line"],
                kind="squawk",
                check=remark["rule_name"],
                about=f"{version} says ({remark['rule_name']})",
                severity=Severity.HYGIENE,
            )
            for remark in remarks
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"squawk wrote something else than a list of remarks: {text[:80]!r}",
            next_step="check its version; 2.70.0 is known to work",
        ) from error


def _run(command: list[str], text: str, *, fails: bool = False) -> str:
    # Its own configuration file must not switch rules on or off here: the working directory is the root.
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, timeout=60, cwd=Path("/")
    )
    if done.returncode and not (fails and done.stdout.startswith("[")):
        raise SetupError(f"squawk failed: {done.stderr.strip()[:200]}", next_step="try it by hand")
    return done.stdout
