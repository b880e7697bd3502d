"""Which literals of SQL are secrets by their place: values of secret columns, arguments that are encrypted.

The place is told from the tokens before it: ``INSERT INTO t (name, password) VALUES ('a', HERE)``, that with
SELECT, ``SET password = HERE``, ``SET (name, password) = ('a', HERE)``, ``crypt(HERE, gen_salt('bf'))``,
``password IN (HERE)``, ``password text DEFAULT HERE``, ``jsonb_build_object('password', HERE)``,
``jsonb_set(a, '{password}', HERE)``, ``set_config('app.key', HERE, true)``. Rows without a list of columns
say nothing of what they hold, unless the table is called so: ``INSERT INTO api_tokens VALUES (HERE)``. Time
grows with the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pgrehearse.text.secret_forms import calls_with_secrets
from pgrehearse.text.split import Token

__all__ = ["CALLS", "SecretValues"]

_Places = frozenset[int]
_NO_PLACES: _Places = frozenset()
#: Every place.
_ALL: _Places = frozenset({-1})
#: Functions of pgcrypto, and which of their arguments are secrets: what is encrypted, keys, hashes.
_ARGUMENTS: dict[str, _Places] = {
    "crypt": frozenset({0, 1}),
    "gen_salt": _NO_PLACES,  # stands within a secret argument, and names a method
    "encrypt": frozenset({0, 1}),
    "encrypt_iv": frozenset({0, 1}),
    "decrypt": frozenset({1}),
    "decrypt_iv": frozenset({1}),
    "hmac": frozenset({1}),
    "pgp_sym_encrypt": frozenset({0, 1}),
    "pgp_sym_encrypt_bytea": frozenset({0, 1}),
    "pgp_sym_decrypt": frozenset({1}),
    "pgp_sym_decrypt_bytea": frozenset({1}),
    "pgp_pub_encrypt": frozenset({0}),
    "pgp_pub_encrypt_bytea": frozenset({0}),
    "pgp_pub_decrypt": frozenset({1, 2}),
    "pgp_pub_decrypt_bytea": frozenset({1, 2}),
    "create_secret": frozenset({0}),  # of Supabase's vault
}
#: Functions whose arguments are names and their values, by turns.
_PAIRS = frozenset(("json_build_object", "jsonb_build_object", "hstore"))
#: Functions that take names and values as arrays: one of both by turns, or one of each.
_OBJECTS = frozenset(("hstore", "json_object", "jsonb_object"))
#: Functions with the name, or the path to it, before the value, and the place of the value.
_NAMED_BEFORE = {"set_config": 1, "jsonb_set": 2, "jsonb_set_lax": 2, "jsonb_insert": 2}
#: Words between a column and what it is compared with.
_COMPARES = frozenset(("in", "like", "ilike"))
#: Words after which a column or a parameter is named.
_NAMES = frozenset(("add", "column", "alter", "exists", "variadic", "inout", "in", "declare"))
#: The same functions as a regular expression finds their calls.
CALLS = rf"\b(?:{'|'.join(name for name, secret in _ARGUMENTS.items() if secret)})\s*\("
#: Words after which an expression that began with ``password =`` is over, unless they belong to a CASE of it.
_ENDS = frozenset(("where", "from", "returning", "and", "or", "then", "else", "when", "end", "on", "group"))
_ENDS |= {"order", "having", "limit", "union", "loop", "join"}
#: What stands before the brackets of a row, or of a query that makes rows.
_BEFORE_ROWS = frozenset(("values", "row", ",", "=", ")"))
_OPENING, _CLOSING = frozenset("(["), frozenset(")]")


@dataclass
class _Level:
    """What is known within one pair of brackets, or outside of all."""

    secret: _Places = _NO_PLACES  # places of secrets between the commas here
    whole: bool = False  # all that stands here is within a secret
    naming: bool = False  # this is a list of columns
    columns: _Places = _NO_PLACES  # places of secrets in the rows that come next
    awaits: bool = False  # the next brackets are a list of columns
    sets: bool = False  # after SET of an UPDATE, brackets after a comma are one as well
    at: int = 0  # commas so far
    value: bool = False  # the value of a secret column
    cases: int = 0  # CASE of that value without its END
    pairs: bool = False  # names and their values, by turns
    first: str = ""  # the name that what stands between two commas begins with
    named_before: int = 0  # at this place a value comes, if what stands before names a secret
    arrays: bool = False  # names and values come as arrays
    keys: bool = False  # this is such an array of names
    tail: str = ""  # what the array that has ended here has last

    def hides(self) -> bool:
        return self.whole or self.value or self.at in self.secret or -1 in self.secret


class SecretValues:
    """Follows the tokens of a text, one `feed` each; `here`: whether a literal that comes now is a secret.

    Args:
        named: whether a column of this name, in lower case, is a secret.
        executed: places of secrets among the arguments of an EXECUTE, which the text is; -1 for all.
    """

    def __init__(self, named: Callable[[str], bool], executed: _Places | None = None) -> None:
        self._named = named
        self._executed = executed
        self._arguments = False  # the next brackets hold those of an EXECUTE
        self._levels = [_Level()]
        self._last = Token("", "", 0)

    @property
    def here(self) -> bool:
        return self._levels[-1].hides()

    def feed(self, token: Token) -> None:
        level = self._levels[-1]
        if token.kind in ("space", "comment"):
            return
        if token.kind in ("word", "quoted"):
            level.first = level.first or _name(token)
        if token.kind == "word":
            self._word(level, token.text.lower())
            if token.text.lower() == "not":
                return  # what comes next is said of the name before
        elif token.kind == "semicolon":
            self._levels = [_Level()]
        elif token.text in _OPENING:
            self._levels.append(self._inner(level, token))
        elif token.text in _CLOSING:
            self._close(level)
        elif token.text == ",":
            self._name(level)
            level.at += 1
            named = level.pairs and level.at % 2 == 1 and self._last.kind == "string"
            level.value, level.cases, level.first = named and self._named(_name(self._last)), 0, ""
            if level.named_before and level.at == level.named_before:
                level.value = self._is_parameter(level)
            if level.sets:
                level.columns = _NO_PLACES
        elif token.text in ("=", ":=") and self._named(_name(self._last)):
            level.value = True
        elif token.text == "=" and self._last.text == "]" and self._named(level.tail):
            level.value = True  # data['password'] = HERE
        elif token.text == ":=" and self._named(level.first):
            level.value = True  # of a variable that is declared
        self._last = token

    def _word(self, level: _Level, word: str) -> None:
        self._arguments = self._arguments or word == "execute"
        if word == "insert":
            level.awaits, level.columns, level.secret, level.sets = True, _NO_PLACES, _NO_PLACES, False
        elif word == "set":
            level.awaits, level.columns, level.sets = False, _NO_PLACES, True
        elif word == "select":
            level.awaits, level.at, level.secret = False, 0, level.columns
        elif word == "values":
            if level.awaits and self._of_secrets(_name(self._last)):
                level.columns = _ALL
            level.awaits = False  # without a list of columns
        elif word in ("from", "returning", "where", "on"):
            level.secret = level.columns = _NO_PLACES
        if word in _NAMES:
            level.first = ""
        compared = word in _COMPARES and self._named(_name(self._last))
        if compared or (word == "default" and self._named(level.first)):
            level.value = True
        if word == "case" and level.value:
            level.cases += 1
        elif word in _ENDS and level.cases == 0:
            level.value = level.awaits = level.sets = False
        elif word == "end":
            level.cases -= 1

    def _inner(self, level: _Level, token: Token) -> _Level:
        name = _name(self._last)
        if self._arguments and self._executed is not None:
            self._arguments = False
            return _Level(secret=self._executed)
        if level.arrays and token.text == "[":
            first = level.at == 0
            return _Level(pairs=first, keys=first, secret=_NO_PLACES if first else level.columns)
        if level.awaits or (level.sets and name in ("set", ",")):
            level.awaits = False
            return _Level(naming=True)
        if name in _ARGUMENTS:
            return _Level(secret=_ARGUMENTS[name])
        if self._last.kind in ("word", "quoted") and calls_with_secrets(name):
            return _Level(whole=True)
        if level.columns and not level.secret and name in _BEFORE_ROWS:
            return _Level(secret=level.columns, columns=level.columns)
        return _Level(
            whole=level.hides(),
            pairs=name in _PAIRS,
            arrays=name in _OBJECTS,
            named_before=_NAMED_BEFORE.get(name, 0),
        )

    def _close(self, level: _Level) -> None:
        self._name(level)
        if len(self._levels) > 1:
            self._levels.pop()
        if level.naming:
            self._levels[-1].columns = level.secret
        elif level.keys:
            self._levels[-1].columns = level.columns
        self._levels[-1].tail = _name(self._last) if self._last.kind == "string" else ""

    def _name(self, level: _Level) -> None:
        """Note the column whose name has just ended."""
        if level.naming and self._named(_name(self._last)):
            level.secret |= {level.at}
        if level.keys and self._last.kind == "string" and self._named(_name(self._last)):
            level.columns |= {level.at}

    def _is_parameter(self, level: _Level) -> bool:
        """Whether what stands before the comma, a literal or an array, names a secret: ``app.key``."""
        text = _name(self._last) if self._last.kind == "string" else level.tail
        last = re.split(r"[.,{}\s\"]+", text.rstrip('} "'))[-1]
        return self._named(last) or (last == "key" and "." in text)

    def _of_secrets(self, table: str) -> bool:
        return self._named(table) or (table.endswith("s") and self._named(table[:-1]))


def _name(token: Token) -> str:
    return token.text.strip("\"'").lower()
