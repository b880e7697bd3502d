r"""Characters that no text of ours may hold: they cut it, hide a part of it, or turn it round.

What is shown for a confirmation would not be what is sent: libpq sends what stands before a NUL; a terminal
writes over a line after a carriage return, obeys an escape, and shows nothing for a zero-width space. So
every door refuses them (`read`, `checked`), and what others wrote is shown with them spelled (`visible`).

Allowed are the tab, the line feed, and where a door says so a carriage return before a line feed; and between
two letters or signs beyond ASCII the joiners, which words of some scripts and emoji are made with; and after
one a variation selector.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import BinaryIO

from pgrehearse.errors import DocumentError, SetupError

__all__ = ["Forbidden", "checked", "decoded", "first", "raw", "read", "visible"]

#: Kept as numbers, so that this file can be read.
_RANGES = (
    (0x00, 0x08),  # C0 without tab, LF and CR
    (0x0B, 0x0C),
    (0x0E, 0x1F),
    (0x7F, 0x9F),  # DEL and C1
    (0xAD, 0xAD),  # soft hyphen
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x0600, 0x0605),
    (0x061C, 0x061C),  # a mark of direction
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x115F, 0x1160),  # fillers: letters without a shape
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200B),  # the zero-width space; after it come the joiners
    (0x200E, 0x200F),  # marks of direction
    (0x2028, 0x202E),  # line and paragraph separators; embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, isolates
    (0x2800, 0x2800),  # a sign of Braille without a dot
    (0x3164, 0x3164),
    (0xFEFF, 0xFEFF),  # the byte order mark
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x16FE4, 0x16FE4),
    (0x1BCA0, 0x1BCA3),
    (0x1D159, 0x1D159),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),  # tags; more variation selectors
)
_CLASS = "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in _RANGES)
_JOINERS = "[\u200c\u200d]"
#: They choose the form of the sign before them, which may be the digit of a key cap. Two choose nothing.
_SELECTORS = "\ufe00-\ufe0f"
_HIDING = (
    rf"[{_CLASS}]|(?<![^\x00-\x7f]){_JOINERS}|{_JOINERS}(?![^\x00-\x7f])"
    rf"|(?<![^\x00-\x7f\u200c\u200d{_SELECTORS}])[{_SELECTORS}](?!(?<=[#*0-9].)\u20e3)"
)
_FORBIDDEN = re.compile(rf"\r|{_HIDING}")
#: What may be forbidden: of ASCII, and of all. Most of a long text is ASCII, which is looked through much
#: faster than any pattern does it.
_SUSPECT_ASCII = bytes([*(code for code in range(0x20) if code not in b"\t\n"), 0x7F])
_SUSPECT = re.compile(f"[\r\u200c\u200d{_SELECTORS}{_CLASS}]")
_PIECE = 1 << 16
#: Bytes that are read before they are looked at.
_BLOCK = 1 << 20
#: How files begin that are mistaken for text, what they are, and what to do.
_FORMS = {
    b"PGDMP": (
        "a dump in pg_dump's custom format",
        "pg_restore -f FILE writes it as SQL; pg_dump -Fp does at once",
    ),
    b"\xff\xfe": ("UTF-16", "save the file as UTF-8: iconv -f UTF-16 -t UTF-8"),
    b"\xfe\xff": ("UTF-16", "save the file as UTF-8: iconv -f UTF-16 -t UTF-8"),
    b"\x1f\x8b": ("compressed with gzip", "gunzip it first"),
}
_FORBIDDEN_BUT_CRLF = re.compile(rf"\r(?!\n)|{_HIDING}")
#: Unicode has no names for these.
_NAMES = {0: "NUL", 7: "BELL", 8: "BACKSPACE", 13: "CARRIAGE RETURN", 27: "ESCAPE", 127: "DELETE"}


@dataclass(frozen=True)
class Forbidden:
    """A character that may not be there. ``line`` is 1-based; ``name`` is such as ``U+0000 NUL``."""

    line: int
    name: str


def first(text: str, *, crlf: bool = False) -> Forbidden | None:
    """The first forbidden character of ``text``; ``crlf``: lines may end with CR LF."""
    pattern = _FORBIDDEN_BUT_CRLF if crlf else _FORBIDDEN
    for start in range(0, len(text), _PIECE):
        if not _suspect(text[start : start + _PIECE]):
            continue
        found = pattern.search(text, start, start + _PIECE + 1)  # what follows a character may allow it
        if found is not None and found.start() < start + _PIECE:
            break
    else:
        return None
    code = ord(found[0])
    name = _NAMES.get(code) or unicodedata.name(found[0], "CONTROL CHARACTER")
    return Forbidden(text.count("\n", 0, found.start()) + 1, f"U+{code:04X} {name}")


def _suspect(piece: str) -> bool:
    if piece.isascii():
        raw = piece.encode()
        return len(raw.translate(None, _SUSPECT_ASCII)) != len(raw)
    return _SUSPECT.search(piece) is not None


def visible(text: str) -> str:
    r"""``text`` with forbidden characters spelled: ``\x1B``, as psql does, ``\u202E``. Line feeds stay."""
    return _FORBIDDEN.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x80:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def checked(text: str, what: str, *, path: Path | str | None = None, line: int | None = None) -> str:
    """``text``, a value that is ``what`` in words. Raises SetupError: it holds a forbidden character."""
    if (found := first(text)) is not None:
        raise SetupError(
            f"{what} holds {found.name}", path=path, line=line, next_step="take the character out"
        )
    return text


def read(
    path: Path, *, crlf: bool = True, missing: str = "check the spelling", most: int | None = None
) -> str:
    """The text of a file as it stands.

    Args:
        crlf: lines may end with CR LF.
        missing: what to do when there is no such file.
        most: bytes the file may have.

    Raises DocumentError: no such file, not readable, too large, not UTF-8, or a forbidden character, with its
    line.
    """
    data = raw(path, missing, most)
    if most is not None and len(data) > most:
        raise DocumentError(
            f"a file of more than {most:,} bytes",
            path=path,
            next_step="split it; rows belong into the seed, long texts into files of their own",
        )
    return decoded(data, path, crlf=crlf)


def raw(path: Path, missing: str = "check the spelling", most: int | None = None) -> bytes:
    """The bytes of a file, one more than ``most`` at most. None are read after a NUL, which no text holds.

    Raises DocumentError: no such file, or not readable.
    """
    try:
        mode = path.stat().st_mode
        if not (S_ISREG(mode) or S_ISDIR(mode)) and not _handed(path):
            raise DocumentError(
                "is a pipe or a device, not a file",  # reading it might never end
                path=path,
                next_step="name a file; what a program prints comes by /dev/stdin",
            )
        with path.open("rb") as file:
            return _begin(file, math.inf if most is None else most + 1)
    except FileNotFoundError:
        raise DocumentError("no such file", path=path, next_step=missing) from None
    except IsADirectoryError:
        raise DocumentError("is a folder, not a file", path=path, next_step="name a file") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise DocumentError(
            f"cannot be read: {reason}", path=path, next_step="see who may read it"
        ) from error


def _begin(file: BinaryIO, most: float) -> bytes:
    data = bytearray()
    while len(data) < most and (block := file.read(int(min(_BLOCK, most - len(data))))):
        data += block
        if b"\0" in block:
            break
    return bytes(data)


def _handed(path: Path) -> bool:
    """Whether the caller opened what ``path`` names, as a shell does for ``<(...)``."""
    return str(path) == "/dev/stdin" or str(path.parent) in ("/dev/fd", "/proc/self/fd")


def decoded(data: bytes, path: Path, *, crlf: bool = True) -> str:
    """``data`` as the text of ``path``; see `read`."""
    if (form := next((form for begin, form in _FORMS.items() if data.startswith(begin)), None)) is not None:
        raise DocumentError(f"this is {form[0]}, not text in UTF-8", path=path, line=1, next_step=form[1])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DocumentError("not UTF-8", path=path, line=line, next_step="save the file as UTF-8") from error
    if (found := first(text, crlf=crlf)) is not None:
        raise DocumentError(
            f"{found.name} cuts or hides what stands around it",
            path=path,
            line=found.line,
            next_step="remove it; where the character itself is meant, write an escape such as E'\\u200B'",
        )
    return text
