"""The built site as a zip that can be unpacked and opened from a disk: python tools/offline_site.py SITE.

It is written to SITE/handbook-offline.zip. A disk has no web server that shows index.html for a folder, gives
no file to a script, and starts no worker: so links name the file, the search has its index as a script, and a
frame for its worker.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

NAME = "handbook-offline.zip"
#: The folder in the zip.
_FOLDER = "handbook"
_SHIM = Path(__file__).with_name("offline.js")
#: An address of the site itself that is a folder, and what follows it.
_FOLDER_LINK = re.compile(
    r'(?P<before>\bhref=")(?P<folder>(?![a-z]+:|//)(?:[^"#?]*/|\.{1,2}|[^"#?]*/\.{1,2}))(?P<after>[#?"])'
)
_HEAD_ENDS = re.compile("</head>", re.I)
#: Of every member, so that the same site gives the same zip.
_WHEN = (2026, 1, 1, 0, 0, 0)


def page(html: str, depth: int) -> str:
    """A page as it is on a disk. ``depth``: folders between it and the site."""

    def named(match: re.Match[str]) -> str:
        return f"{match['before']}{match['folder'].rstrip('/')}/index.html{match['after']}"

    script = f'<script src="{"../" * depth}offline.js"></script>'
    return _HEAD_ENDS.sub(f"{script}</head>", _FOLDER_LINK.sub(named, html), count=1)


def index(text: str) -> str:
    """The search index as the script that the theme loads from a disk."""
    found = json.loads(text)
    for one in found["docs"]:
        folder, mark, anchor = one["location"].partition("#")
        one["location"] = f"{folder}index.html{mark}{anchor}"
    return f"var __index = {json.dumps(found, ensure_ascii=False)}"


def members(site: Path) -> dict[str, bytes]:
    """What is in the zip: name below its folder -> content."""
    found = {"offline.js": _SHIM.read_bytes()}
    for file in sorted(path for path in site.rglob("*") if path.is_file() and path.name != NAME):
        name = file.relative_to(site).as_posix()
        if file.suffix == ".html":
            found[name] = page(file.read_text("utf-8"), name.count("/")).encode()
        elif name == "search/search_index.json":
            found["search/search_index.js"] = index(file.read_text("utf-8")).encode()
        elif file.suffix not in (".map", ".gz"):
            found[name] = file.read_bytes()
    return found


def main(words: list[str]) -> int:
    """Write the zip of the site that ``words`` name; the exit status."""
    if len(words) != 1 or not (Path(words[0]) / "index.html").is_file():
        print(__doc__, file=sys.stderr)
        return 64
    site = Path(words[0])
    with ZipFile(site / NAME, "w", ZIP_DEFLATED) as made:
        for name, content in members(site).items():
            member = ZipInfo(f"{_FOLDER}/{name}", _WHEN)
            member.external_attr = 0o644 << 16
            made.writestr(member, content, ZIP_DEFLATED)
    print(f"for reading without a network: {site / NAME}, {(site / NAME).stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
