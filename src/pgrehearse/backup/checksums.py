"""SHA-256 of dumps, in a file beside them that sha256sum reads and writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pgrehearse import files
from pgrehearse.backup.copying import no_special_file
from pgrehearse.backup.proof import Refused, Unproven

__all__ = ["compared", "of", "size", "written"]


def of(path: Path) -> str:
    """The digest of a file; of a folder, that of the lines its files would have."""
    if path.is_file():
        return _digest(path)
    return hashlib.sha256("".join(_lines(path, path.name)).encode()).hexdigest()


def size(path: Path) -> int:
    """Bytes of the file, or of all files in the folder."""
    return sum(one.stat().st_size for one in _parts(path))


def written(path: Path, name: str, beside: Path) -> Path:
    """Write the checksums of ``path``, which will be called ``name``, into ``beside``."""
    return files.write(beside, "".join(_lines(path, name)))


def compared(path: Path, digest: str) -> str:
    """Compare with the file beside ``path``. Raises Refused: another byte; Unproven: there is none."""
    beside = path.with_name(f"{path.name}.sha256")
    no_special_file(beside)
    try:
        wanted = beside.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Unproven(
            f"there is no {beside.name}: a changed byte of an uncompressed dump cannot be seen",
            f"pgrehearse backup take writes one; or, after pg_dump, sha256sum {path.name} > {beside.name}",
        ) from None
    lines = _wanted(wanted)
    here = dict(_wanted("".join(_lines(path, path.name)))) if path.is_dir() else {path.name: digest}
    for name, known in lines:
        if here.get(name) != known:
            what = "is missing" if name not in here else "is not what it was when it was made"
            raise Refused(f"{name} {what}: its checksum differs", "take a new one: pgrehearse backup take")
    extra = sorted(set(here) - {name for name, _ in lines})
    if not lines or extra:
        raise Refused(
            f"{beside.name} does not name {extra[0] if extra else path.name}",
            "take a new one: pgrehearse backup take",
        )
    return f"SHA-256 as {beside.name} has it"


def _wanted(text: str) -> list[tuple[str, str]]:
    """Name and digest of each line, as sha256sum writes them: two blanks, or a blank and a star."""
    found = []
    for line in text.splitlines():
        digest, _, name = line.partition(" ")
        name = name[1:] if name[:1] in (" ", "*") else name
        found.append((name.removeprefix("./"), digest))
    return found


def _lines(path: Path, name: str) -> Iterator[str]:
    for one in _parts(path):
        shown = name if path.is_file() else f"{name}/{one.relative_to(path)}"
        yield f"{_digest(one)}  {shown}\n"


def _parts(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
