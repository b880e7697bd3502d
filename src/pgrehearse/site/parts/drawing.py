"""One recording of live traffic as an inline SVG: worst request by time, reads above writes, the longest gap.

The standard library makes its elements and writes them escaped, colors come from variables of the style,
nothing moves and no script runs: it follows the theme, prints, and is read out by its title and description.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element, tostring

from markupsafe import Markup

from pgrehearse.markup import trusted
from pgrehearse.text.characters import visible

__all__ = ["KINDS", "duration", "parts", "svg", "total_ms", "worst_ms"]

#: Kinds of requests: their name in evidence, and one of them.
KINDS = {"reads": "read", "writes": "write"}

_WIDTH, _LEFT, _RIGHT = 400, 54, 394
#: Half of the longest number below the axis.
_MARGIN = 18
_TOP, _STRIP, _HEAD = 26, 74, 22
_HEIGHT = _TOP + 2 * (_HEAD + _STRIP) + 30
#: Milliseconds below which the scale does not go: noise must not look like an outage.
_FLOOR = 100.0
#: Milliseconds from which a gap is red and written into the picture; a shorter one is only marked.
_GAP = 100.0


def duration(ms: float) -> str:
    """``1.35 s``, ``96 ms``, ``0.8 ms``: as many digits as the rounded number needs."""
    if ms >= 9_995:
        return f"{ms / 1000:.1f} s"
    if ms >= 999.5:
        return f"{ms / 1000:.2f} s"
    return f"{ms:.0f} ms" if ms >= 9.95 else f"{ms:.1f} ms"


def total_ms(measured: Mapping[str, Any]) -> float:
    """How long the recording is: the end of its last slice."""
    slices = max((len(measured[kind]["worst_by_slice_ms"]) for kind in KINDS if kind in measured), default=0)
    return float(measured["slice_ms"] * slices)


def worst_ms(measured: Mapping[str, Any]) -> float:
    """The longest request of any kind."""
    return max((float(measured[kind]["worst_ms"]) for kind in KINDS if kind in measured), default=0.0)


def parts(measured: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """Name, start and duration in milliseconds of what ran under the load, in order.

    What waited for another session goes on while the next part runs.
    """
    marks = sorted(measured["phases_ms"].items(), key=lambda item: (item[1], item[0] == "end"))
    took = measured.get("took_ms", {})
    return [(name, start, took.get(name, end - start)) for (name, start), (_, end) in pairwise(marks)]


def svg(title: str, measured: Mapping[str, Any], *, wide_ms: float, high_ms: float) -> Markup:
    """The drawing; pictures with the same ``wide_ms`` and ``high_ms`` have the same scales."""
    key = hashlib.sha256(f"{title}{measured}".encode()).hexdigest()[:8]
    scale = _Scale(wide_ms, max(high_ms, _FLOOR))
    drawing = _shape("svg", class_="run-time", viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img")
    drawing.set("aria-labelledby", f"t{key} d{key}")
    drawing.append(_shape("title", title, id=f"t{key}"))
    drawing.append(_shape("desc", _described(measured), id=f"d{key}"))
    drawing.extend(_parts(scale, measured))
    top = _TOP
    for kind in KINDS:
        if kind in measured:
            drawing.extend(_strip(scale, top + _HEAD, kind, measured))
        top += _HEAD + _STRIP
    drawing.extend(_seconds(scale, top))
    return trusted(tostring(drawing, encoding="unicode"))


def _shape(tag: str, text: str = "", **attributes: object) -> Element:
    """An element. Its attributes are named as in SVG, with ``_`` for ``-``, and ``class_``."""
    named = {name.rstrip("_").replace("_", "-"): str(value) for name, value in attributes.items()}
    element = Element(tag, named)
    element.text = visible(text)
    return element


class _Scale:
    """From milliseconds to the picture."""

    def __init__(self, wide_ms: float, high_ms: float) -> None:
        self.wide = wide_ms
        self.high = _round(high_ms)
        self.ticks = [0.0, self.high / 2, self.high]

    def x(self, ms: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * min(max(ms / self.wide, 0.0), 1.0), 1)

    def height(self, ms: float) -> float:
        return round(_STRIP * min(ms / self.high, 1.0), 1)


def _round(least: float, factors: Iterable[float] = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)) -> float:
    """The next round number from ``least`` up; two percent too low will do."""
    power = float(10 ** math.floor(math.log10(least)))
    return next(power * factor for factor in factors if power * factor >= least * 0.98)


def _parts(scale: _Scale, measured: Mapping[str, Any]) -> Iterable[Element]:
    """Bars of numbered parts in two rows, and a line through both strips where each begins."""
    bottom = _TOP + 2 * (_HEAD + _STRIP)
    last = 0.0
    for number, (_, start, took) in enumerate(parts(measured), 1):
        x, wide = scale.x(start), max(round(scale.x(start + took) - scale.x(start), 1), 1)
        yield _shape("rect", class_="run-time-part", x=x, y=15 + 5 * (number % 2), width=wide, height=4)
        yield _shape("path", class_="run-time-mark", d=f"M{x} 15V{bottom}")
        last = max(x + wide / 2, last + 9)  # short parts stand close together, their numbers must not
        yield _shape("text", str(number), x=f"{last:.1f}", y=12, text_anchor="middle")
    end = scale.x(measured["phases_ms"]["end"])
    yield _shape("path", class_="run-time-mark", d=f"M{end} 15V{bottom}")


def _strip(scale: _Scale, top: float, kind: str, measured: Mapping[str, Any]) -> Iterable[Element]:
    found, base = measured[kind], top + _STRIP
    over = scale.x(total_ms(measured))  # the other picture may go on
    for tick in scale.ticks:
        y = base - scale.height(tick)
        yield _shape("path", class_="run-time-grid", d=f"M{_LEFT} {y}H{over}")
        yield _shape("text", _tick(tick), x=_LEFT - 4, y=y + 3.5, text_anchor="end")
    start = found.get("gap_from_ms")
    if start is not None:
        x = scale.x(start)
        wide = max(round(scale.x(start + found["gap_ms"]) - x, 1), 1)
        grave = "run-time-gap" if found["gap_ms"] >= _GAP else "run-time-calm"
        yield _shape("rect", class_=grave, x=x, y=top, width=wide, height=_STRIP)
    yield _shape("path", class_=f"run-time-{kind}", d=_area(scale, base, found, measured["slice_ms"]))
    yield _shape("text", kind, class_="run-time-kind", x=_LEFT, y=top - 6)
    said = f"longest gap {duration(found['gap_ms'])}, worst {duration(found['worst_ms'])}"
    yield _shape("text", said, x=_RIGHT, y=top - 6, text_anchor="end")
    if start is not None and found["gap_ms"] >= _GAP:
        text = f"no {KINDS[kind]} for {duration(found['gap_ms'])}"
        at, anchor = _beside(x, x + wide, 6.5 * len(text))
        yield _shape("text", text, class_="run-time-alarm", x=f"{at:.1f}", y=top + 11, text_anchor=anchor)


def _beside(left: float, right: float, wide: float) -> tuple[float, str]:
    """Where a text of that width goes, and its anchor: right of the gap, else in it, else left of it."""
    if right + 4 + wide < _RIGHT:
        return right + 4, "start"
    return (right - 4, "end") if right - left > wide + 8 else (left - 4, "end")


def _area(scale: _Scale, base: float, found: Mapping[str, Any], slice_ms: float) -> str:
    """Steps: the worst request of each slice, at least one unit high where there was any."""
    path = f"M{scale.x(0)} {base}"
    for number, worst in enumerate(found["worst_by_slice_ms"]):
        height = 0.0 if worst is None else max(scale.height(worst), 1.0)
        path += f"V{base - height:g}H{scale.x((number + 1) * slice_ms):g}"
    return f"{path}V{base}Z"


def _seconds(scale: _Scale, base: float) -> Iterable[Element]:
    step = _round(scale.wide / 6, (1, 2, 5, 10))
    for number in range(int(scale.wide / step) + 1):
        x = scale.x(number * step)
        # The last one may stand at the edge, where half of it would be cut off.
        anchor = "end" if x > _RIGHT - _MARGIN else "middle"
        yield _shape("text", _tick(number * step), x=x, y=base + 13, text_anchor=anchor)
    yield _shape("text", "time since the load began", x=_RIGHT, y=base + 25, text_anchor="end")


def _tick(ms: float) -> str:
    if ms == 0:
        return "0"
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"


def _described(measured: Mapping[str, Any]) -> str:
    told = [
        f"{kind}: longest gap {duration(measured[kind]['gap_ms'])}, worst request"
        f" {duration(measured[kind]['worst_ms'])}, {sum(measured[kind]['failed'].values())} failed"
        for kind in KINDS
        if kind in measured
    ]
    ran = ", ".join(f"{name} for {duration(took)}" for name, _, took in parts(measured))
    return f"Worst request by the time it was due. {'; '.join(told)}. What ran: {ran}."
