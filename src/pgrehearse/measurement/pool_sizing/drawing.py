"""Throughput and latency by the number of connections, as an SVG that stands alone and runs no script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Element, tostring

from pgrehearse.measurement.pool_sizing.knee import LoadPoint, knee

__all__ = ["svg"]

_WIDTH, _LEFT, _RIGHT, _HEIGHT = 480, 56, 464, 330
_PANELS = ((34, 150), (190, 290))  # top and bottom of throughput, of latency
_STYLE = """
svg { background: #fff } text { font: 11px system-ui, sans-serif; fill: #333 } .grid { stroke: #ccc }
.tps, .p50, .p99 { fill: none; stroke-width: 2 } .tps { stroke: #1f6fb2 } .p50 { stroke: #2e8b57 }
.p99 { stroke: #c0392b } .knee { stroke: #888; stroke-dasharray: 4 3 } text.p50, text.p99 { stroke: none }
text.p50 { fill: #2e8b57 } text.p99 { fill: #c0392b }
"""


def svg(title: str, found: Sequence[LoadPoint]) -> str:
    """The drawing. ``found``: by number of connections, at least one."""
    drawing = _shape("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img")
    drawing.append(_shape("title", title))
    best = knee(found)
    drawing.append(_shape("desc", f"Most of the throughput is reached with {best.connections} connections."))
    drawing.append(_shape("style", _STYLE))
    places = {each.connections: _place(number, len(found)) for number, each in enumerate(found)}
    x = places[best.connections]
    drawing.append(_shape("path", class_="knee", d=f"M{x} {_PANELS[0][0] - 8}V{_PANELS[1][1]}"))
    drawing.append(_shape("text", f"knee: {best.connections}", x=x + 4, y=_PANELS[0][0] - 10))
    drawing.append(_shape("text", "transactions per second", x=_LEFT, y=14))
    drawing.append(_shape("text", "milliseconds,", x=_LEFT, y=178))
    drawing.append(_shape("text", "p50", class_="p50", x=_LEFT + 76, y=178))
    drawing.append(_shape("text", "p99", class_="p99", x=_LEFT + 104, y=178))
    high = max(each.tps for each in found)
    slow = max(each.p99_ms for each in found)
    for (top, bottom), most in zip(_PANELS, (high, slow), strict=True):
        for share in (0.0, 0.5, 1.0):
            y = round(bottom - (bottom - top) * share, 1)
            drawing.append(_shape("path", class_="grid", d=f"M{_LEFT} {y}H{_RIGHT}"))
            drawing.append(_shape("text", f"{most * share:,.4g}", x=_LEFT - 6, y=y + 4, text_anchor="end"))
    curves: tuple[tuple[str, int, float, Callable[[LoadPoint], float]], ...] = (
        ("tps", 0, high, lambda each: each.tps),
        ("p50", 1, slow, lambda each: each.p50_ms),
        ("p99", 1, slow, lambda each: each.p99_ms),
    )
    for name, panel, most, value in curves:
        top, bottom = _PANELS[panel]
        points = [
            f"{places[each.connections]},{round(bottom - (bottom - top) * value(each) / (most or 1), 1)}"
            for each in found
        ]
        drawing.append(_shape("polyline", class_=name, points=" ".join(points)))
    for connections, at in places.items():
        drawing.append(_shape("text", str(connections), x=at, y=_PANELS[1][1] + 16, text_anchor="middle"))
    drawing.append(_shape("text", "connections", x=(_LEFT + _RIGHT) / 2, y=_HEIGHT - 6, text_anchor="middle"))
    return tostring(drawing, encoding="unicode") + "\n"


def _place(number: int, count: int) -> float:
    """Numbers of connections stand at equal distances: they double in most cases."""
    return round(_LEFT + 16 + (_RIGHT - _LEFT - 32) * number / max(count - 1, 1), 1)


def _shape(tag: str, text: str = "", **attributes: object) -> Element:
    """An element. Its attributes are named as in SVG, with ``_`` for ``-``, and ``class_``."""
    element = Element(tag, {name.rstrip("_").replace("_", "-"): str(it) for name, it in attributes.items()})
    element.text = text
    return element
