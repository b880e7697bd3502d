"""Whether a text may hold a secret at all: asked of millions of statements, so by words before patterns."""

from __future__ import annotations

import re

from pgrehearse.text.executed import EXECUTES
from pgrehearse.text.secret_forms import NAME, forms_in

__all__ = ["may_hold"]

#: Without any of these no statement holds a password.
_MAY_HOLD = re.compile(rf"{NAME}|passfile|://|crypt|hmac|(?:md5|sha\d+|digest)\"?\s*\(")
_HINTS = (
    *("pass", "pwd", "pw", "secret", "token", "scram_", "api", "private", "://", "crypt", "hmac"),
    *("credential", "access", "encryption", "signing", "auth", "md5", "sha", "digest"),
)
#: A parameter of one's own that is called so.
_KEY_SETTING = re.compile(r"\bset(?:_config\s*\(\s*'|\s+(?:local\s+|session\s+)?)[\w.]{1,63}\.key\b")
#: Where one of them begins: found at a multiple of the speed, since each alternative begins with a letter.
_HINT = re.compile("|".join(_HINTS))


def may_hold(sql: str) -> bool:
    """Whether ``sql``, or a part of it, is worth to be read token by token."""
    # Found out several times as fast as by the pattern, and files hold millions of statements.
    text = sql.lower()
    if any(hint in text for hint in _HINTS) and any(
        _MAY_HOLD.match(text, hint.start()) for hint in _HINT.finditer(text)
    ):
        return True
    if "execute" in text and EXECUTES.search(text) is not None:
        return True
    return (".key" in text and _KEY_SETTING.search(text) is not None) or any(forms_in(sql))
