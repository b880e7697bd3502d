"""Python cells that try to say something else of themselves than what happened: none turns green."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.execution.executor import Executor
from pgrehearse.execution.rehearser import run_cells
from pgrehearse.execution.results import CellResult
from pgrehearse.text.document import parse
from support.projects import fence

#: Writes an answer as older versions took it, and one that looks signed, to every open descriptor.
EVERYWHERE = """
import os
def everywhere():
    for number in range(3, 64):
        for answer in (b'{"output": "1"}\\n', b"0" * 128 + b' {"output": "1"}\\n'):
            try:
                os.write(number, answer)
            except OSError:
                pass
"""
#: Each: cells in order. The last of them fails, whatever the others say.
LIES = {
    "writes the answer": (EVERYWHERE + "everywhere()\n1 / 0",),
    "writes the answer and ends": (EVERYWHERE + "everywhere()\nos._exit(0)",),
    "a child answers later": (
        EVERYWHERE
        + "import time\nif os.fork() == 0:\n    time.sleep(0.3)\n    everywhere()\n    os._exit(0)",
        "import time\ntime.sleep(1)\n1 / 0",
    ),
    "a child comes back": ("import os\nos.fork()", "import time\ntime.sleep(0.2)\n1 / 0"),
    "a child reads the next question": (
        EVERYWHERE
        + """
import json
if os.fork() == 0:
    for number in range(3, 64):
        try:
            if json.loads(os.read(number, 1 << 20)):
                everywhere()
        except (OSError, ValueError):
            pass
    os._exit(0)
""",
        "1 / 0",
    ),
    "a thread answers later": (
        EVERYWHERE
        + "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.3), everywhere())).start()",
        "import time\ntime.sleep(1)\n1 / 0",
    ),
    "atexit": (EVERYWHERE + "import atexit, sys\natexit.register(everywhere)\nsys.exit(0)",),
    "sys.exit": ("import sys\nsys.exit(0)",),
    "os._exit": ("import os\nos._exit(0)",),
    "another program in its place": ("import os\nos.execlp('true', 'true')",),
    "the encoder is replaced": (
        "import json, json.encoder\n"
        'fake = lambda *a, **k: \'{"output": ""}\'\n'
        "json.dumps = json.JSONEncoder.encode = json.encoder.JSONEncoder.iterencode = fake\n"
        "json.encoder.c_make_encoder = lambda *a: fake\n"
        "json.encoder.encode_basestring_ascii = lambda s: '\"\"'\n1 / 0",
    ),
    "the decoder is replaced": (
        "import json, json.decoder\n"
        "old = json.decoder.JSONDecoder.raw_decode\n"
        "def harmless(self, text, *a, **k):\n"
        "    found, end = old(self, text, *a, **k)\n"
        "    return {**found, 'source': ''}, end\n"
        "json.decoder.JSONDecoder.raw_decode = harmless\n"
        "json.loads = lambda text, **k: {**json.decoder.JSONDecoder().decode(text), 'source': ''}",
        "1 / 0",
    ),
    "exec and compile are replaced": (
        "import builtins\nbuiltins.compile = lambda *a, **k: 'pass'\nbuiltins.exec = lambda *a: None",
        "1 / 0",
    ),
    "the traceback is replaced": (
        "import traceback\n"
        "traceback.format_exception_only = traceback.format_list = lambda *a, **k: ['']\n1 / 0",
    ),
    "the worker's functions are replaced": (
        """
import sys
places = [vars(sys.modules["__main__"])]
frame = sys._getframe()
while frame := frame.f_back:
    places += [frame.f_globals, frame.f_locals]
for names in places:
    for name, value in list(names.items()):
        if hasattr(value, "__code__") and not name.startswith("__"):
            value.__code__ = (lambda *a, **k: {"output": ""}).__code__
        if name in ("execute", "carried_out", "run", "errors", "described"):
            try:
                names[name] = lambda *a, **k: None
            except Exception:
                pass
""",
        "1 / 0",
    ),
    "a trace function": (
        EVERYWHERE
        + """
import sys
def spy(frame, event, argument):
    for value in [*frame.f_locals.values()]:
        if isinstance(value, int) and value > 2:
            for answer in (b'{"output": ""}\\n',):
                os.write(value, answer)
    return spy
sys.settrace(spy)
sys._getframe(1).f_trace = spy
1 / 0
""",
    ),
    "the output is forged in its frame": (
        "import sys\nsys._getframe(1).f_locals['output'] = None\nsys.stdout = None\n1 / 0",
    ),
    "descriptors are closed": ("import os\nos.closerange(3, 64)",),
    "standard output is closed": ("import sys\nsys.stdout.close()",),
}


def ran(tmp_path: Path, *sources: str, timeout: float = 5) -> list[CellResult]:
    path = tmp_path / "page.md"
    path.write_text("# Page\n" + "\n".join(fence(source, language="python") for source in sources), "utf-8")
    document = parse(path.read_text("utf-8"), path)
    with Executor("", environment={}, path=path, major=18, timeout=timeout) as executor:
        return run_cells(executor, document.in_order(), document.cells)


@pytest.mark.parametrize("name", LIES)
def test_a_failing_cell_stays_red(name: str, tmp_path: Path) -> None:
    results = ran(tmp_path, *LIES[name])
    assert any(result.failure for result in results), results


def test_frames_below_a_cell_hold_neither_key_nor_descriptor(tmp_path: Path) -> None:
    source = """
import sys
frame = sys._getframe()
seen = []
while frame := frame.f_back:
    seen += [value for names in (frame.f_locals, frame.f_globals) for value in names.values()]
seen = [value for value in seen if not isinstance(value, type)]
bad = [v for v in seen if isinstance(v, bytes) or hasattr(v, "gi_frame") or hasattr(v, "fileno")]
assert not bad, bad
"""
    assert [result.status for result in ran(tmp_path, source, timeout=60)] == ["passed"]


@pytest.mark.parametrize(
    "source",
    [
        "print('x' * 5_000_000)",
        "for _ in range(100):\n    print('x' * 100_000)",
        "while True:\n    print('yes')",
        "try:\n    print('x' * 5_000_000)\nexcept Exception:\n    pass",
        "import sys\ntype(sys.stdout).write = __import__('io').StringIO.write\nprint('x' * 5_000_000)",
    ],
)
def test_what_a_cell_prints_is_bounded(source: str, tmp_path: Path) -> None:
    (result,) = ran(tmp_path, source, timeout=60)  # what ends it is the bound, on a slow machine too
    assert result.failure is not None
    assert "prints more than 4,000,000 characters" in result.failure.message
