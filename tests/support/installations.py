"""What only claims to be PostgreSQL: bin directories, and the npm packages they come in."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

__all__ = ["archive", "installation", "package", "program"]


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)
    return path


def installation(bindir: Path, version: str) -> Path:
    """A bin directory that claims to be PostgreSQL ``version``."""
    program(bindir / "postgres", f"echo 'postgres (PostgreSQL) {version}'")
    program(bindir / "initdb", "exit 0")
    return bindir


def archive(path: Path, members: dict[str, str], *, extra: tarfile.TarInfo | None = None) -> Path:
    """An npm archive with these members; those below ``bin`` are executable."""
    with tarfile.open(path, "w:gz") as tar:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text.encode()), 0o755 if "/bin/" in name else 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
        if extra is not None:
            tar.addfile(extra)
    return path


def package(version: str = "15.18", **links: str) -> dict[str, str]:
    """The members of a small but complete package."""
    listed = [{"source": source, "target": target} for target, source in links.items()]
    return {
        "package/package.json": "{}",
        "package/native/bin/postgres": f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n",
        "package/native/bin/initdb": "#!/bin/sh\n",
        "package/native/lib/libpq.so.5.15": "library",
        "package/native/pg-symlinks.json": json.dumps(listed),
    }
