"""Timelines of live traffic on pages: both ways of a recording, or one rehearsal; a table says the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence import recordings, rehearsals
from pgrehearse.measurement.evidence.recordings import RecordingEvidence
from pgrehearse.site.markup import render
from pgrehearse.site.parts.drawing import KINDS, duration, parts, svg, total_ms, worst_ms
from pgrehearse.text.document import Document
from pgrehearse.text.project import Project
from pgrehearse.text.recordings import Recording

__all__ = ["current", "newest", "timeline"]


def current(project: Project, document: Document, name: str, *, draft: bool) -> dict[str, RecordingEvidence]:
    """The evidence of a recording by major, of exactly what the document says now.

    Raises DocumentError when it is missing or belongs to something older, unless this is a draft.
    """
    recording = _declared(project, document, name)
    found = recordings.load(project, name)
    digest = recordings.digest(project, document, recording)
    fresh = {major: entry for major, entry in found.items() if entry.digest == digest}
    if not draft and (not fresh or len(fresh) < len(found)):
        what = "what it runs changed since it was recorded" if found else "it was never recorded"
        raise DocumentError(
            f"the recording {name!r} cannot be shown: {what}",
            path=project.relative(document.path),
            next_step=f"pgrehearse record {project.relative(document.path)} --pg all --refresh",
        )
    return fresh


def timeline(project: Project, document: Document, name: str, *, draft: bool) -> Markup:
    """HTML: both ways of the recording ``name`` beside each other, drawn on the same scales, and a table."""
    recording = _declared(project, document, name)
    majors = current(project, document, name, draft=draft)
    if not majors:
        return render("timelines_missing", name=name)
    shown = max(majors, key=int)
    entry = majors[shown]
    wide = max(total_ms(entry.measured[way.name]) for way in recording.ways)
    high = max(worst_ms(entry.measured[way.name]) for way in recording.ways)
    ways = [
        {
            "name": way.name,
            "label": way.label,
            "drawing": svg(
                f"{recording.title}, {way.name}: {way.label}",
                entry.measured[way.name],
                wide_ms=wide,
                high_ms=high,
            ),
            "parts": _parts(entry.measured[way.name]),
        }
        for way in recording.ways
    ]
    others = [major for major in sorted(majors, key=int) if major != shown]
    return render(
        "timelines",
        title=recording.title,
        ways=ways,
        rows=[(way.name, _numbers(entry.measured[way.name])) for way in recording.ways],
        conditions=_conditions(entry, entry.measured[recording.ways[0].name]),
        others=", ".join(others),
        other_rows=[
            (f"{majors[major].version} {way.name}", _numbers(majors[major].measured[way.name]))
            for major in others
            for way in recording.ways
        ],
    )


def newest(majors: Mapping[str, rehearsals.RehearsalEvidence]) -> str:
    """HTML: what a runbook did to readers and writers on the newest major; empty without a load."""
    loads = {
        major: entry.measured["under traffic"]
        for major, entry in majors.items()
        if "slice_ms" in entry.measured.get("under traffic", {})
    }
    if not loads:
        return ""
    major = max(loads, key=int)
    title, measured = f"Under traffic on PostgreSQL {majors[major].version}", loads[major]
    return render(
        "timelines_traffic",
        title=title,
        drawing=svg(title, measured, wide_ms=total_ms(measured), high_ms=worst_ms(measured)),
        parts=_parts(measured),
        conditions=_conditions(majors[major], measured),
    )


def _declared(project: Project, document: Document, name: str) -> Recording:
    if name not in document.front.recordings:
        raise DocumentError(
            f"timeline({name!r}) names no recording of this page",
            path=project.relative(document.path),
            next_step="declared in its front matter: " + (", ".join(document.front.recordings) or "none"),
        )
    return document.front.recordings[name]


def _parts(measured: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and duration of what ran under the load."""
    return [(name, duration(took)) for name, _, took in parts(measured)]


def _numbers(measured: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of a row: longest gap, worst read, worst write, failed requests, runtime."""
    gap, kind = max((float(measured[kind]["gap_ms"]), kind) for kind in KINDS)
    failed = sum(sum(measured[kind]["failed"].values()) for kind in KINDS)
    return (
        f"{duration(gap)} ({kind})",
        *(duration(measured[kind]["worst_ms"]) for kind in KINDS),
        str(failed),
        duration(measured["runbook_ms"]),
    )


def _conditions(entry: RecordingEvidence | rehearsals.RehearsalEvidence, measured: Mapping[str, Any]) -> str:
    held = measured["conditions"]
    return (
        f"PostgreSQL {entry.version}, {held['rows']:,} rows, {held['cores']} cores ({held['machine']}),"
        f" {held['reads_per_second']:.0f} reads and {held['writes_per_second']:.0f} writes due each second,"
        f" {entry.date}."
    )
