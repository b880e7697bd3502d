"""Timelines of live traffic on pages: both ways of a recording, or one rehearsal; a table says the same."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence import recordings, rehearsals
from pgrehearse.measurement.evidence.recordings import RecordingEvidence
from pgrehearse.site.parts.drawing import KINDS, duration, parts, svg, total_ms, worst_ms
from pgrehearse.text.document import Document
from pgrehearse.text.project import Project
from pgrehearse.text.recordings import Recording

__all__ = ["current", "newest", "timeline"]

#: How to read a drawing.
_READ = (
    "Height: how long the slowest request waited, by the moment it was due."
    " Colored ground: the longest time without an answer, red from 100 ms."
)
_HEADS = ("longest gap", "worst read", "worst write", "failed requests", "runtime")


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


def timeline(project: Project, document: Document, name: str, *, draft: bool) -> str:
    """HTML: both ways of the recording ``name`` beside each other, drawn on the same scales, and a table."""
    recording = _declared(project, document, name)
    majors = current(project, document, name, draft=draft)
    if not majors:
        return f'<p class="run-draft">The recording {escape(name)} was not made yet.</p>\n'
    shown = max(majors, key=int)
    entry = majors[shown]
    first = entry.measured[recording.ways[0].name]
    wide = max(total_ms(entry.measured[way.name]) for way in recording.ways)
    high = max(worst_ms(entry.measured[way.name]) for way in recording.ways)
    ways = "".join(
        f'<div><p class="run-time-way"><strong>{way.name}</strong> {escape(way.label)}</p>'
        + svg(
            f"{recording.title}, {way.name}: {way.label}",
            entry.measured[way.name],
            wide_ms=wide,
            high_ms=high,
        )
        + f"{_legend(entry.measured[way.name])}</div>"
        for way in recording.ways
    )
    return (
        f'<figure class="run-timeline" data-search-exclude><figcaption>{escape(recording.title)}</figcaption>'
        f'<div class="run-time-ways">{ways}</div>{_table(recording, entry)}'
        f'<p class="run-time-note">{_READ} {_conditions(entry, first)} Compare the two ways,'
        " not the times with those of another machine.</p>"
        f"{_others(recording, majors, shown)}</figure>\n"
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
    drawn = svg(title, measured, wide_ms=total_ms(measured), high_ms=worst_ms(measured))
    return (
        f'<div class="run-time-single"><p class="run-time-way">{title}</p>{drawn}{_legend(measured)}'
        f'<p class="run-time-note">{_READ} {_conditions(majors[major], measured)}</p></div>'
    )


def _declared(project: Project, document: Document, name: str) -> Recording:
    if name not in document.front.recordings:
        raise DocumentError(
            f"timeline({name!r}) names no recording of this page",
            path=project.relative(document.path),
            next_step="declared in its front matter: " + (", ".join(document.front.recordings) or "none"),
        )
    return document.front.recordings[name]


def _legend(measured: Mapping[str, Any]) -> str:
    items = "".join(
        f"<li>{escape(name)} <small>{duration(took)}</small></li>" for name, _, took in parts(measured)
    )
    return f'<ol class="run-time-parts">{items}</ol>'


def _table(recording: Recording, entry: RecordingEvidence) -> str:
    rows = "".join(
        f'<tr><th scope="row">{way.name}</th>{_numbers(entry.measured[way.name])}</tr>'
        for way in recording.ways
    )
    return f'<table class="run-locks">{_head("way")}<tbody>{rows}</tbody></table>'


def _others(recording: Recording, majors: Mapping[str, RecordingEvidence], shown: str) -> str:
    """The same table for the other majors, folded."""
    others = [major for major in sorted(majors, key=int) if major != shown]
    if not others:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(majors[major].version)} {way.name}</th>'
        f"{_numbers(majors[major].measured[way.name])}</tr>"
        for major in others
        for way in recording.ways
    )
    said = "The same on PostgreSQL " + ", ".join(others)
    table = f'<table class="run-locks">{_head("version")}<tbody>{rows}</tbody></table>'
    return f'<details class="run-rehearsed"><summary>{said}</summary>{table}</details>'


def _head(first: str) -> str:
    cells = "".join(f'<th scope="col">{name}</th>' for name in (first, *_HEADS))
    return f"<thead><tr>{cells}</tr></thead>"


def _numbers(measured: Mapping[str, Any]) -> str:
    gap, kind = max((float(measured[kind]["gap_ms"]), kind) for kind in KINDS)
    failed = sum(sum(measured[kind]["failed"].values()) for kind in KINDS)
    cells = (
        f"{duration(gap)} ({kind})",
        *(duration(measured[kind]["worst_ms"]) for kind in KINDS),
        str(failed),
        duration(measured["runbook_ms"]),
    )
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _conditions(entry: RecordingEvidence | rehearsals.RehearsalEvidence, measured: Mapping[str, Any]) -> str:
    held = measured["conditions"]
    return escape(
        f"PostgreSQL {entry.version}, {held['rows']:,} rows, {held['cores']} cores ({held['machine']}),"
        f" {held['reads_per_second']:.0f} reads and {held['writes_per_second']:.0f} writes due each second,"
        f" {entry.date}."
    )
