"""The process Python cells run in. Reads one JSON question a line, answers with one line.

Standard library only, so that a cell sees an ordinary interpreter. A cell is compiled with its own file and
line numbers: a traceback names the line of the Markdown file.

Nothing but this module may say what became of a cell. The first line of the input is a key; each answer is
signed with it, together with the number in the question, so that no other process, no descriptor and no
earlier answer counts. The key lives in a generator that is suspended while a cell runs: no frame below the
cell, no module and no global leads to it, and what a cell replaces in other modules is not used here. A cell
that searches the memory of its own interpreter (gc, ctypes, a thread that watches frames) could find it.
"""

from __future__ import annotations

import builtins
import io
import json.decoder
import json.encoder
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from hashlib import blake2b
from types import CodeType, ModuleType
from typing import Any


def cells() -> Iterator[None]:
    """Serves a question of standard input each time it is asked for more, until that is closed.

    Functions are local here, and what they use are locals and defaults: a cell reaches the globals of the
    frames below its own, and the attributes of every module.
    """
    scan = json.decoder.JSONDecoder().scan_once  # type: ignore[attr-defined]  # written in C
    quoted = json.encoder.encode_basestring_ascii
    getpid, leave, put, sign, build, size = os.getpid, os._exit, os.write, blake2b, compile, len
    text_of, extract, listed, last_lines = (
        io.StringIO.getvalue,
        traceback.extract_tb,
        traceback.format_list,
        traceback.format_exception_only,
    )
    most = _SAID
    failures: deque[BaseException | None] = deque()
    threads = told_of_threads()
    # The main module is the cells' own, as in a script of theirs.
    module = ModuleType("__main__")
    namespace = vars(module)
    namespace["__builtins__"] = builtins
    sys.modules["__main__"] = module
    own, environ = getpid(), os.environ

    def asked() -> Iterator[CodeType | BaseException]:
        """The code of each question, to be run before the next one is asked for; that answers it."""
        answers = os.dup(1)
        os.dup2(2, 1)  # what a cell's child processes print must not mix with the answers
        questions = os.fdopen(os.dup(0), encoding="utf-8")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # nor may anybody read the questions
        key = bytes.fromhex(questions.readline())
        for line in questions:
            question = scan(line, 0)[0]
            path, first = question["path"], question["line"]
            if question["options"] != environ.get("PGOPTIONS", ""):
                environ["PGOPTIONS"] = question["options"]
            for name, value in question["values"].items():
                namespace.setdefault(name, value)  # a cell may have changed it
            shown, before = _Shown(question["room"]), sys.stdout
            sys.stdout = shown
            code: CodeType | BaseException
            try:
                code = build("\n" * (first - 1) + question["source"], path, "exec")
            except (SyntaxError, ValueError) as error:
                code = error
            yield code
            sys.stdout = before
            if getpid() != own:
                leave(0)  # a child that came back from the cell: only its parent answers
            raised, answer = failures.pop(), {"output": text_of(shown)}
            if shown.room < 0:
                answer["full"] = "yes"
            where = ""
            if raised is None and threads:
                raised, where = threads.popleft(), "in a thread: "
                threads.clear()
            if raised is not None:
                answer["error"] = "an exception that cannot be shown"
                answer |= described(raised, path, first)
                answer["error"] = where + answer["error"]
            body = "{" + ", ".join([f"{quoted(k)}: {quoted(v)}" for k, v in answer.items()]) + "}"
            seal = sign((question["number"] + body).encode(), key=key).hexdigest()
            left = f"{seal} {body}\n".encode()
            while size(left):
                left = left[put(answers, left[:65536]) :]

    def described(error: BaseException, path: str, line: int) -> dict[str, str]:
        """The error with those frames of its traceback that the reader wrote."""
        frames = extract(error.__traceback__)
        start = next((i for i, frame in enumerate(frames) if frame.filename == path), size(frames))
        reader = [frame for frame in frames if frame.filename == path]
        where = reader[-1].lineno if reader else getattr(error, "lineno", None) or line
        last = last_lines(error)
        shown = ["Traceback (most recent call last):\n", *listed(frames[start:]), *last]
        said, text = last[-1].strip(), "".join(shown).rstrip()
        if size(said) > most:
            said = said[:most] + " ..."
        if size(text) > most:
            text = f"{text[:most]}\n... ({size(text) - most:,} more characters)"
        return {"error": said, "line": f"{where}", "traceback": text}

    def carried_out(
        code: CodeType | BaseException,
        run: Callable[..., None] = exec,
        errors: type[BaseException] = BaseException,
        is_a: Callable[[Any, Any], bool] = isinstance,
        names: dict[str, Any] = namespace,
        untraced: Callable[[None], None] = sys.settrace,
    ) -> BaseException | None:
        """What the cell raised. Its frame is the one a cell finds below its own: nothing of use is in it."""
        try:
            if is_a(code, errors):
                return code  # type: ignore[return-value]
            run(code, names)
        except errors as error:
            return error
        finally:
            untraced(None)  # a trace function would see the generator
        return None

    return map(failures.append, map(carried_out, asked()))


#: Characters that are told of an exception.
_SAID = 10_000


def told_of_threads() -> deque[BaseException]:
    """What threads raise from now on. Python only prints that, and the cell would seem to have succeeded.

    What a destructor raises stays printed: when it runs is the collector's affair.
    """
    found: deque[BaseException] = deque()
    of_thread, of_others = threading.excepthook, sys.unraisablehook

    def told(raised: threading.ExceptHookArgs) -> None:
        if not issubclass(raised.exc_type, SystemExit):
            found.append(raised.exc_value or raised.exc_type())
        of_thread(raised)

    def told_of_others(raised: sys.UnraisableHookArgs) -> None:
        if raised.exc_value is not None and " in thread" in (raised.err_msg or ""):  # module _thread
            found.append(raised.exc_value)
        of_others(raised)

    threading.excepthook, sys.unraisablehook = told, told_of_others
    return found


class _Shown(io.StringIO):
    """What a cell prints, up to ``room`` characters."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, text: str, /) -> int:
        self.room -= len(text)
        if self.room < 0:
            raise OverflowError("this is more than a cell may print")
        return super().write(text)


if __name__ == "__main__":
    deque(cells(), maxlen=0)
