"""Passwords in statements and connection strings: what reaches no log, page, ledger or terminal."""

from __future__ import annotations

import codecs
import hashlib
import hmac
import re
import secrets
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote

from pgrehearse.text.connection_secrets import QUERY, SETTING, WORD, in_uris, user_info
from pgrehearse.text.executed import EXECUTES, PreparedStatements
from pgrehearse.text.pieces import pieces
from pgrehearse.text.secret_forms import NAME, as_prose, forms_in, pointed_out, said, without_forms
from pgrehearse.text.secret_hints import may_hold
from pgrehearse.text.secret_values import CALLS, SecretValues
from pgrehearse.text.split import SplitError, Token, scanned, tokens

__all__ = ["connection_strings", "marked", "redacted", "sealed"]

_HIDDEN = "***"
_NAMED = re.compile(rf"\w*{NAME}", re.I)
#: A password in JSON, or in an hstore.
_IN_JSON = re.compile(rf'{NAME}"\s*(?::|=>)\s*"((?:[^"\\]|\\.)*)"', re.I)
#: SQL within a literal that may have a password at a place of its own.
_PLACES = re.compile(rf"{CALLS}|\binsert\s+into\b(?=.*{NAME})", re.I | re.S)
#: A literal that holds a password somewhere inside: a connection string, a URL, JSON, SQL within quotes.
_HOLDS_PASSWORD = re.compile(
    rf"{NAME}\s*=|{NAME}\s+(?:[uU]&|[eE])?(?:''|\$)|passfile\s*=|{NAME}\"\s*(?::\s*\"|=>)", re.I
)
#: A piece that is completed by what comes after: ``'ALTER ROLE x PASSWORD ' || quote_literal('...')``.
_OPEN = re.compile(rf"(?:\w[\s.]+\w{{0,30}}?{NAME}|{NAME}\s*=)[\s']*+(?:$|%)", re.I)
_AFTER = re.compile(rf"{NAME}\b[\s='&$]+(.*)", re.I | re.S)
#: Words before a dollar quote that is code, and words between a setting and its value.
_BEFORE_CODE = ("as", "do", "execute", "plpgsql", "sql")
_BETWEEN = ("to", "u", "n")
#: What may be the value of a setting without quotes.
_BARE = re.compile(r'(?!default\b)[\w"]', re.I)
#: Letters from which on a password cannot be part of a key word by chance; how many are looked for singly.
_UNMISTAKABLE, _FEW = 8, 32
_SAID = re.compile(rf"(?P<word>{NAME}\s+(?:[uU]&|[eE])?)'(?:[^']|'')*'", re.I)
_WIDE = re.compile(r"\\(\+[0-9a-fA-F]{6}|[0-9a-fA-F]{4})")
_SALT = secrets.token_bytes(16)
#: ``password 'it''s'`` among OPTIONS; pg_dump writes ``E'...'`` where a backslash is in it.
_OPTION = re.compile(rf"{WORD}(?P<is> )E?'(?P<value>(?:[^']|'')*)'", re.I)
_QUOTED = re.compile(r"""(?P<identifier>"(?:[^"]|"")*")|'(?P<literal>(?:[^']|'')*)'""")


def redacted(sql: str, text: str | None = None) -> str:
    """``text`` (default: the statement itself) with the passwords of ``sql`` replaced by ``***``.

    A password is a literal after a word such as PASSWORD, however it is quoted; one that completes SQL or is
    formatted into it after such a word; a literal that holds a connection string with one; and what is one
    by its place (`SecretValues`). In ``text``, said of ``sql``, also what is in quotes after such a word.
    """
    if text is not None:  # a function may say what it does
        text = without_forms(_SAID.sub(lambda found: f"{found['word']}'{_HIDDEN}'", text), _HIDDEN)
    if not may_hold(sql):
        return sql if text is None else text
    found: set[str] = set()
    shown = _rewritten(sql, found)
    if text is not None:
        shown = text
        for raw in found:
            shown = shown.replace(f"'{raw}'", f"'{_HIDDEN}'")
    forms = sorted({form for raw in found for form in _forms(raw)}, key=len, reverse=True)
    shown = _without(shown, [form for form in forms if len(form) >= _UNMISTAKABLE])
    for short in forms if text is not None else ():
        if len(short) < _UNMISTAKABLE and short in shown:  # it is no part of other words
            shown = re.sub(rf"(?<!\w){re.escape(short)}(?!\w)", _HIDDEN, shown)
    return shown


def _without(text: str, secrets: list[str]) -> str:
    """``text`` without ``secrets``, the longest first, in one pass: a statement may hold thousands."""
    if len(secrets) < _FEW:
        for secret in secrets:
            text = text.replace(secret, _HIDDEN)
        return text
    beginnings: dict[str, list[str]] = {}
    for secret in secrets:
        beginnings.setdefault(secret[:_UNMISTAKABLE], []).append(secret)
    parts, done, at = [], 0, 0
    while at < len(text):
        some = beginnings.get(text[at : at + _UNMISTAKABLE], ())
        found = next((secret for secret in some if text.startswith(secret, at)), "")
        if found:
            parts += [text[done:at], _HIDDEN]
            done = at + len(found)
        at = max(at + 1, done)
    return "".join(parts) + text[done:]


def sealed(name: str, value: str, sqls: Iterable[str], place: str) -> str:
    """``value`` of a parameter as a log may keep it: itself, or a mark if it is a password.

    It is one by its ``name``, or by where a statement of ``sqls`` has it. Equal values have equal marks at a
    ``place``, so that a later run knows its own; guessing one takes time for each guess.
    """
    found: set[str] = set()
    for sql in sqls if value else ():
        if may_hold(sql):
            _rewritten(sql, found)
    if not _is_named(name) and not any(value in _forms(raw) for raw in found):
        return value
    salt = f"{place} {name}".encode()
    return "hidden " + hashlib.scrypt(value.encode(), salt=salt, n=2**14, r=8, p=1, dklen=8).hex()


def connection_strings(text: str) -> str:
    """``text``, which is no SQL, with the passwords of connection strings in it replaced by ``***``."""
    text = without_forms(in_uris(text, lambda password: _HIDDEN), _HIDDEN)
    return SETTING.sub(lambda found: f"{found['word']}{found['is']}{_HIDDEN}", text)


def _rewritten(sql: str, found: set[str], *, within: bool = False) -> str:
    """``sql`` without its passwords, which are added to ``found`` as they are quoted.

    ``within``: it is the body of a block or function, where EXECUTE carries out a text.
    """
    try:
        return "".join(_parts(sql, found, within=within))
    except SplitError:  # cut off, or in another language: what is a password cannot be told
        if (after := _AFTER.search(sql)) is None and not _holds(sql) and not any(_places(sql)):
            found |= set(forms_in(sql))
            return without_forms(sql, _HIDDEN)
        found |= {after[1], after[1].split("'")[0]} if after else {sql, *sql.split("'")[1::2]}
        return _HIDDEN


def _parts(sql: str, found: set[str], *, within: bool) -> Iterator[str]:
    text = "" if within else sql.lower()
    executes = "execute" in text and EXECUTES.search(text) is not None
    prepared = PreparedStatements(_is_named) if executes else None
    for piece in pieces(sql):
        executed = prepared.executed(piece) if prepared else None
        if executed is not None or may_hold(piece):
            yield from _hidden(piece, found, executed)
        else:
            yield piece


def _hidden(sql: str, found: set[str], executed: frozenset[int] | None = None) -> Iterator[str]:
    """The parts of a statement, its passwords hidden. What it says ends with its semicolon."""
    secret = False  # the next literal is a password
    completes = False  # every literal until the semicolon may be one
    continued = False  # the literal goes on in the next line, if there is a string
    values, alone = SecretValues(_is_named, executed), pointed_out(sql)
    word = ""
    first, sets, last, before = (
        "",
        False,
        "",
        "",
    )  # the statement's first word, whether it says SET, the last token
    for token in tokens(sql):
        if token.kind in ("string", "dollar"):
            opening, inner, closing = _taken_apart(token)
            code = token.kind == "dollar" and word in _BEFORE_CODE
            by_place = secret or completes or continued or values.here or token.offset in alone
            within, open_ended = (False, False) if code else _places(inner)
            hides = by_place or (not code and _holds(inner)) or (within and token.kind == "string")
            completes = completes or open_ended or (not code and bool(_OPEN.search(inner)))
            if hides and inner:
                found |= {inner, *_inside(inner)}
                inner = _HIDDEN
            elif token.kind == "dollar":
                inner = _rewritten(inner, found, within=True)
            yield f"{opening}{inner}{closing}"
            values.feed(token)
            secret, continued = False, hides and token.kind == "string"
            continue
        if secret and sets and first in ("alter", "set") and last in ("=", "to") and _BARE.match(token.text):
            found.add(token.text.strip('"'))
            yield _HIDDEN
            secret, last = False, ""
            continue
        if token.kind == "comment":
            yield (prose := as_prose(token.text, _HIDDEN))
            if prose != token.text:
                found |= {*forms_in(token.text), *said(token.text)}
        else:
            yield token.text
        values.feed(token)
        if token.kind not in ("space", "comment"):
            before, last = last, token.text.lower()
            first, sets = first or last, sets or last == "set"
        if token.kind in ("word", "quoted"):
            word = token.text.strip('"').lower()
            of_key = word == "key" and sets and before == "."  # SET app.key
            secret = _is_named(word) or of_key or (secret and word in _BETWEEN)
        elif token.kind == "semicolon":
            secret = completes = sets = False
            first = ""
        elif token.text in ("(", ")", ","):
            secret = False
        continued = continued and token.kind in ("space", "comment")


def _taken_apart(token: Token) -> tuple[str, str, str]:
    if token.kind == "dollar":
        tag = token.text[: token.text.index("$", 1) + 1]
        return tag, token.text[len(tag) : -len(tag)], tag
    at = token.text.index("'") + 1
    return token.text[:at], token.text[at:-1], "'"


def _holds(inner: str) -> bool:
    forms = {inner, unquote(inner), _unescaped(inner)}
    return any(
        _HOLDS_PASSWORD.search(form) or any(user_info(form)) or any(said(form)) or any(forms_in(form))
        for form in forms
    ) or bool(pointed_out(inner.replace("''", "'")))


@lru_cache(maxsize=1024)
def _is_named(name: str) -> bool:
    return _NAMED.fullmatch(name) is not None


def _places(inner: str) -> tuple[bool, bool]:
    """Whether ``inner`` is SQL with a password at a place of its own, and whether one is put there later.

    SQL in quotes within it counts as a whole: each literal is read once, however deep it is nested.
    """
    text = _unescaped(inner).replace("''", "'")
    if _PLACES.search(text) is None:
        return False, False
    values, within, open_ended = SecretValues(_is_named), False, False
    try:
        for token in scanned(text):
            if token.kind in ("string", "dollar"):
                within = within or values.here or _PLACES.search(token.text) is not None
            open_ended = open_ended or (token.text == "%" and values.here)
            values.feed(token)
    except SplitError:
        within = within or values.here
    return within, open_ended or values.here


def _inside(literal: str) -> Iterator[str]:
    """The passwords within a literal that is hidden as a whole: a message may name one by itself."""
    for text in {literal.replace("''", "'"), unquote(literal), _unescaped(literal)}:
        given = [text[begin:end] for begin, end in user_info(text)]
        settings = (found["value"] for found in SETTING.finditer(text))
        for value in [*given, *settings, *_IN_JSON.findall(text), *forms_in(text), *said(text)]:
            yield value.strip("'")
            yield from (part for part in re.split("[@/:]", value) if len(part) >= _UNMISTAKABLE)
        inner: set[str] = set()
        if text != literal:
            _rewritten(text, inner)
        yield from inner


def _forms(raw: str) -> Iterator[str]:
    """How a server may quote the literal in a message: as it stands, or as it means."""
    yield from {form for form in (raw, raw.replace("''", "'"), _unescaped(raw)) if form}


def _unescaped(raw: str) -> str:
    """``raw`` as E'...' or U&'...' would mean it."""
    if "\\" not in raw:
        return raw
    wide = _WIDE.sub(lambda found: chr(min(int(found[1].lstrip("+"), 16), 0x10FFFF)), raw)
    if wide != raw:
        return wide.replace("''", "'")
    with (
        suppress(ValueError),
        warnings.catch_warnings(),
    ):  # an escape that Python does not know is one that PostgreSQL drops
        warnings.simplefilter("ignore", DeprecationWarning)
        return codecs.decode(raw.encode("latin-1", "backslashreplace"), "unicode_escape").replace("''", "'")
    return raw


def marked(sql: str) -> str:
    """``sql`` with a mark in place of each password: the same for equal ones, within this process.

    Of a connection string the rest stays, so that two can be compared.
    """
    return _QUOTED.sub(_literal, _OPTION.sub(lambda found: f"{found['word']} '{_mark(found['value'])}'", sql))


def _literal(found: re.Match[str]) -> str:
    if found["identifier"]:
        return found[0]
    text = found["literal"].replace("''", "'")
    if "://" in text:
        text = in_uris(text, lambda password: _mark(password, "-"))
        text = QUERY.sub(lambda part: f"{part['word']}={_mark(part['value'], '-')}", text)
    else:
        text = SETTING.sub(lambda part: f"{part['word']}{part['is']}'{_mark(part['value'])}'", text)
    return "'" + text.replace("'", "''") + "'"


def _mark(password: str, blank: str = " ") -> str:
    digest = hmac.new(_SALT, password.encode(), hashlib.sha256).hexdigest()
    return f"hidden{blank}{digest[:8]}"
