"""Text of others, made fit to be shown: what would move a cursor or turn words round is spelled."""

from __future__ import annotations

__all__ = ["visible"]

_KEPT = "\n\t"
#: Marks that change the order in which a line is read: CVE-2021-42574 hides code with them.
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SPELLED = {code: f"\\x{code:02X}" for code in (*range(0x20), 0x7F) if chr(code) not in _KEPT}
_SPELLED |= {code: f"\\u{code:04X}" for code in (*range(0x80, 0xA0), *_BIDI)}


def visible(text: str) -> str:
    r"""``text`` with control characters and marks of direction as ``\x1B`` and ``\u202E``.

    That is how psql spells the former. Line feeds and tabs stay.
    """
    return text.translate(_SPELLED)
