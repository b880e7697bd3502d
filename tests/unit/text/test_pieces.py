"""A text is cut where its tokens have semicolons."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pgrehearse.text.pieces import pieces
from pgrehearse.text.split import SplitError, scanned

SIGNS = st.sampled_from(
    [
        *"aeE'\"$\\;:()-*/ \n\r\t1_é\u00a0²٣",
        "/*",
        "*/",
        "--",
        "$$",
        "$a$",
        "''",
        ":a",
        "1a$",
        "a$",
        "e'",
        "\\'",
    ]
)


@given(st.lists(SIGNS, max_size=30).map("".join) | st.text())
@example("a$$;$$ b; $$;$$; 1$$;$$; /* ; /* ; */ ; */; E'\\';';")
def test_each_piece_ends_with_a_semicolon_that_is_a_token(text: str) -> None:
    try:
        ends = [token.offset + 1 for token in scanned(text) if token.kind == "semicolon"]
    except SplitError:
        with pytest.raises(SplitError):
            list(pieces(text))
        return
    found = list(pieces(text))
    assert "".join(found) == text
    if ends[-1:] != [len(text)] and text:
        ends.append(len(text))
    assert [len("".join(found[: n + 1])) for n in range(len(found))] == ends
