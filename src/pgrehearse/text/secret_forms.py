"""What a secret looks like, wherever it stands: the names of places for one, and the forms that some have.

A name tells that what stands beside it is a secret: ``password = 'a'``. A form tells it by itself: a signed
token, a private key, a hash of a password, a key of a provider. Ordinary text has neither: an identifier, a
checksum in hex and a sentence about passwords stay readable, and tests hold that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["NAME", "as_prose", "calls_with_secrets", "forms_in", "pointed_out", "said", "without_forms"]

#: What a setting, an option or a key word is called, at its end, when its value is nobody's business: libpq's
#: and those of foreign servers. No pattern that is searched begins with a repetition: literals are long.
NAME = (
    r"(?:(?:passw(?:or)?d|passphrase|passcode|pwd|secret|token|pass(?<![^\W_]pass)|pw(?<![^\W_]pw))(?:_?(?:hash|digest))?"
    r"|passphrase_command|scram_(?:client|server)_key|(?:api|private|access|encryption|signing|auth)[_-]?key"
    r"|secret[_-](?:access[_-])?key|credentials?)"
)
#: What a text has that has the form, in small letters, and the form. Each is long enough to be nothing else.
_FORMS = {
    "eyj": r"(?<![\w-])(?-i:eyJ)[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*",  # a signed token
    "private key": r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:(?!-----END).){0,20000}"
    r"(?:-----END [A-Z ]{0,30}-----)?",
    # hashes of passwords, as crypt and others write them
    "$2": r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}",
    "$argon2": r"\$argon2(?:id|i|d)\$[\w$=,+/.-]{20,}",
    **{f"${kind}$": rf"\${kind}\$[\w$=./-]{{20,}}" for kind in "156y7"},
    "scram-sha-": r"\bSCRAM-SHA-256\$\d+:[\w+/=]+\$[\w+/=]+:[\w+/=]+",
    "md5": r"\bmd5[0-9a-f]{32}\b",
    **{kind: rf"\b{kind}[:_][\w:]{{1,40}}\$[\w$+/=.-]{{20,}}" for kind in ("pbkdf2", "scrypt")},
    # keys of providers
    **{kind.lower(): rf"\b(?-i:{kind}[A-Z0-9]{{16}})\b" for kind in ("AKIA", "ASIA")},
    **{f"gh{kind}_": rf"\bgh{kind}_[A-Z0-9]{{30,}}" for kind in "pousr"},
    **{kind: rf"\b{kind}[A-Z0-9]{{30,}}" for kind in ("npm_", "hf_", "dop_v1_")},
    **{kind: rf"\b{kind}[\w-]{{20,}}" for kind in ("github_pat_1", "glpat-", "pypi-age")},
    "xox": r"\bxox[abeoprs]-\d[\w-]{10,}",
    **{kind: rf"\b[rs]{kind}[A-Z0-9]{{16,}}" for kind in ("k_live_", "k_test_")},
    "sk-": r"\bsk-(?=[\w-]{0,200}\d)[\w-]{32,}",
    "aiza": r"\b(?-i:AIza)[\w-]{35}",
    "sg.": r"\b(?-i:SG)\.[\w-]{22}\.[\w-]{43}",
    # what is said to a program or in a request
    "authorization": r"authorization[\"']?\s*[:=]\s*[\"']{0,2}(?:bearer|basic|token)\s+[^\s\"']{4,}",
    "http": r"https?://[^/\s:@?#]{8,}@",
    "-": rf"(?<!\S)--?(?!-?no-)[\w-]{{0,30}}{NAME}[ \t]+[^\s-]\S*",
    "curl": r"\bcurl\b[^\n]{0,200}?\s(?:-u|--user)[\s=]*[^\s:]{1,99}:\S+",
}
_PATTERNS = {hint: re.compile(form, re.I | re.S) for hint, form in _FORMS.items()}
#: A literal that is nothing but a key: 40 signs of base64, among them large and small letters and digits. A
#: checksum is written in letters of one size.
_KEY = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9/+]{40}")
#: In a sentence: ``password: a1b2``. A word is what has letters and digits, or a sign that no plain word has.
_SENTENCE = re.compile(
    rf"(?P<word>{NAME}(?:\s*[:=]\s*|\s+(?:is|was)\s+))"
    r"(?!(?:sha|md|base|utf|argon|aes|rsa|hs|rs|es|uuid|v|int|varchar)-?\d)"
    r"(?P<value>(?=\S{0,99}\d|\S{0,99}[!#$%^&*+?~])(?=\S{0,99}[a-z])[^\s,;]{4,})",
    re.I,
)
_LITERAL = r"(?P<literal>[eE]?'[^']*+(?:''[^']*+)*+')"
_SALT = r"[\w.\"]{0,60}(?:salt|pepper|user|login|name|mail)[\w\"]{0,60}"
#: ``md5('a')``: who hashes what is written there already hides what it is. ``md5('row' || n)`` makes rows up,
#: ``md5('a')::uuid`` an identifier.
_HASHED = re.compile(
    rf"\b(?:md5|sha(?:1|224|256|384|512)|digest)\"?\s*\(\s*(?:{_SALT}\s*\|\|\s*)?{_LITERAL}\s*(?:::\s*\w+\s*)*"
    rf"(?:\)(?!\s*::\s*uuid)|,|\|\|\s*(?:{_SALT}|'))",
    re.I,
)
#: A row of settings: ``VALUES ('smtp_password', 'a')``, ``SET value = 'a' WHERE name = 'smtp_password'``.
#: What has blanks explains; a list after IN has no row before it.
_SETTING = f"'[\\w.-]{{0,60}}[_.-]{NAME}'"
_VALUE = r"(?P<literal>'[^'\s]+')"
_PAIR = re.compile(
    rf"(?:\bvalues|\)\s*,|\bhstore)\s*\(\s*(?:[\w.]{{1,40}}\s*,\s*)?{_SETTING}\s*,\s*{_VALUE}"
    rf"|\bset\s+val(?:ue)?\s*=\s*{_VALUE.replace('literal', 'other')}\s*where[^;]{{1,200}}?=\s*{_SETTING}",
    re.I,
)
#: What a function does that takes a password: ``check_password('a')``. A table has brackets, too.
_VERB = re.compile(
    r"(?:\w*_)?(?:verify|check|validate|match|hash|encrypt|set|reset|change|update|create|add|alter|store|save|login)"
    rf"_?\w*{NAME}",
    re.I,
)


def forms_in(text: str) -> Iterator[str]:
    """The secrets in ``text`` that are told by their form."""
    if _KEY.fullmatch(text):
        yield text
    for pattern in _worth_while(text):
        for found in pattern.finditer(text):
            yield found[0]
            if len(word := re.split(r"[\s:]", found[0])[-1]) > 3:  # a message may name it by itself
                yield word


def without_forms(text: str, hidden: str) -> str:
    """``text``, what has such a form ``hidden``."""
    for pattern in _worth_while(text):
        text = pattern.sub(hidden, text)
    return text


def _worth_while(text: str) -> list[re.Pattern[str]]:
    # Words are found several times as fast as patterns, and files hold millions of statements.
    text = text.lower()
    return [pattern for hint, pattern in _PATTERNS.items() if hint in text]


def pointed_out(sql: str) -> frozenset[int]:
    """Where literals begin that are hashed as they stand, or are the value of a secret setting."""
    found = {one.start("literal") for one in _HASHED.finditer(sql)}
    pairs = (one.start("literal" if one["literal"] else "other") for one in _PAIR.finditer(sql))
    return frozenset(found.union(pairs))


def said(text: str) -> Iterator[str]:
    """The secrets that a sentence names."""
    yield from (found["value"] for found in _SENTENCE.finditer(text))


def as_prose(text: str, hidden: str) -> str:
    """A sentence or a comment, its secrets ``hidden``."""
    return _SENTENCE.sub(lambda found: f"{found['word']}{hidden}", without_forms(text, hidden))


def calls_with_secrets(name: str) -> bool:
    """Whether a function of this name takes a secret, at whichever place."""
    return len(name) < 64 and _VERB.fullmatch(name) is not None
