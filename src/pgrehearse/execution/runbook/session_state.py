"""What a session has that ends with it: observed, and made again in a later session or refused.

Text alone does not tell what a function or a DO block has set, so the session itself is asked. Hidden from it
are settings with a dot in their name: those are looked for that the runbook names. Not seen are what
``currval`` and ``setseed`` go by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import psycopg

from pgrehearse import queries
from pgrehearse.errors import SetupError
from pgrehearse.execution.runbook.locks import LOCK_CLASS
from pgrehearse.execution.session import Message, Session
from pgrehearse.text.variables import quote_json, quote_literal

__all__ = ["SessionState"]

_SHOWN = "SELECT pg_catalog.current_setting('pgrehearse.session_state') AS state"
_DOTTED = re.compile(r"\b[a-zA-Z_][\w$]*(?:\.[a-zA-Z_][\w$]*)+")


class SessionState:
    """How the state of a session is asked for.

    Args:
        text: of the runbook, with the values in: where names of settings stand.
    """

    def __init__(self, text: str) -> None:
        self._custom = sorted({found.lower() for found in _DOTTED.findall(text)})
        self._beginning: dict[str, Any] = {}

    def query(self, *, quiet: bool = False) -> str:
        """Keeps, until the transaction ends, how the session differs from its beginning.

        ``quiet``: what was sent before it leaves the session as it was; then the server asks it
        only where something may do so unseen.
        """
        names = ", ".join(map(quote_literal, self._custom))
        asked = queries.text(
            "session_state",
            beginning=quote_json(self._beginning),
            custom=f"ARRAY[{names}]::pg_catalog.text[]",
            lock_class=LOCK_CLASS,
        ).decode()
        return queries.text("session_quiet", state=quote_literal(asked)).decode() if quiet else asked

    def begin(self, session: Session) -> None:
        """Take the state of ``session`` as its beginning: what a later run of the same checks has again."""
        error = session.run([Message(f"BEGIN READ ONLY; {self.query()}; {_SHOWN}; COMMIT", 1)])
        if error is not None:
            raise SetupError(
                f"the session cannot be asked for its state: {error.text}", next_step="run it again"
            )
        lines = "\n".join(session.output).split("\n")
        self._beginning = json.loads(lines[lines.index("DO") + 3])

    def seen(self, connection: psycopg.Connection[Any]) -> dict[str, Any]:
        """The state of the session that is ``connection``, outside a transaction."""
        with connection.transaction():
            connection.execute(self.query().encode())
            row = connection.execute(_SHOWN).fetchone()
        assert row is not None
        return dict(json.loads(row[0]))

    def again(self, wanted: Mapping[str, Any]) -> str:
        """Gives the session the settings of ``wanted``, and raises PGR01 unless all else is as there too."""
        text = quote_json(dict(wanted))
        remade = queries.text("session_remade", wanted=text).decode()
        checked = queries.text("session_checked", wanted=text).decode()
        return f"{remade};\n{self.query()};\n{checked}"
