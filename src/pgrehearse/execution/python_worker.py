"""The process Python cells run in. Reads one JSON question a line, answers with one JSON line.

Standard library only, so that a cell sees an ordinary interpreter. A cell is compiled with its own file and
line numbers: a traceback names the line of the Markdown file.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import traceback
from typing import Any


def execute(question: dict[str, Any], namespace: dict[str, Any]) -> dict[str, Any]:
    """Run one cell in ``namespace``. Returns its standard output, and the error if it raised one."""
    output = io.StringIO()
    path, line = question["path"], question["line"]
    if question["options"] != os.environ.get("PGOPTIONS", ""):
        os.environ["PGOPTIONS"] = question["options"]
    for name, value in question["values"].items():
        namespace.setdefault(name, value)  # a cell may have changed it
    try:
        code = compile("\n" * (line - 1) + question["source"], path, "exec")
        with contextlib.redirect_stdout(output):
            exec(code, namespace)  # noqa: S102  # running the reader's cell is the purpose
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return {"output": output.getvalue(), **_described(error, path, line)}
    return {"output": output.getvalue()}


def _described(error: BaseException, path: str, line: int) -> dict[str, Any]:
    """The error with those frames of its traceback that the reader wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    start = next((i for i, frame in enumerate(frames) if frame.filename == path), len(frames))
    own = [frame for frame in frames if frame.filename == path]
    where = own[-1].lineno if own else getattr(error, "lineno", None) or line
    shown = [
        "Traceback (most recent call last):\n",
        *traceback.format_list(frames[start:]),
        *traceback.format_exception_only(error),
    ]
    return {
        "error": traceback.format_exception_only(error)[-1].strip(),
        "line": where,
        "traceback": "".join(shown).rstrip(),
    }


def main() -> None:
    """Serve questions from standard input until it is closed."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a cell's child processes print must not mix with the answers
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # nor may anybody read the questions
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for line in questions:
        answers.write(json.dumps(execute(json.loads(line), namespace)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
