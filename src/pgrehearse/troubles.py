"""Errors of the system and of servers that nobody has named nearer to where they happen, in our words."""

from __future__ import annotations

import errno
import sys

from pgrehearse.errors import PgRehearseError, SetupError, first_line

__all__ = ["elsewhere", "installed", "named"]

_SPACE = "make room there; TMPDIR and PGREHEARSE_CACHE say where temporary files and servers go"
_RIGHTS = "see who may read and write there"
_NAME = "check the spelling, and that it is still there"
_LIMITS = "close other programs, or raise the limit with ulimit"
#: What the system refused -> what to do. What is not here is a mistake of this program.
_NEXT = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _SPACE),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _RIGHTS),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.EEXIST), _NAME),
    **dict.fromkeys((errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTEMPTY, errno.ESTALE), _NAME),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN), _LIMITS),
    **dict.fromkeys((errno.EIO, errno.ETXTBSY, errno.E2BIG, errno.ENOEXEC), "see what is wrong with it"),
}
#: Classes of SQLSTATE, and single ones, that come from the server, its settings or its administrator.
_SERVERS = ("08", "25006", "28", "3D", "40", "42501", "53", "54", "55", "57", "58", "F0", "XX")


def elsewhere(said: str, fix: str) -> str:
    """What to do about an error of PostgreSQL: ``fix``; or another server, where this one lacks something."""
    other = "--server URL, --pg MAJOR, or its programs by PGREHEARSE_BINDIR"
    return f"{fix}; or name a server that has the extension: {other}" if _lacking(said) else fix


def installed(said: str, fix: str) -> str:
    """The same of a server that is not for us to choose: ``fix``, or what it has to be given first."""
    first = "install the package with that extension where the server runs"
    return f"{fix}; {first}" if _lacking(said) else fix


def _lacking(said: str) -> bool:
    """Whether ``said``, an error of PostgreSQL, is that the server lacks the files of an extension."""
    return "is not available" in said or "could not open extension" in said


def named(error: BaseException) -> PgRehearseError | None:
    """``error`` as one of ours, with what to do next; None for what only a bug of ours can be."""
    if isinstance(error, PgRehearseError):
        return error
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, UnicodeError):
        return SetupError(
            f"a text cannot be read or written in its encoding: {first_line(error)}",
            next_step="names, arguments and files are UTF-8; LC_ALL=C.UTF-8 says so to this program",
        )
    if isinstance(error, RuntimeError) and "home directory" in str(error):
        return SetupError("this user has no home directory", next_step="set HOME, or PGREHEARSE_CACHE")
    if isinstance(error, RuntimeError) and "ymlink loop" in str(error):
        return SetupError(first_line(error), next_step="mend the link, which leads to itself")
    if isinstance(error, ValueError) and "null byte" in str(error):
        return SetupError("a name holds U+0000", next_step="take the character out")
    if isinstance(error, MemoryError):
        return SetupError("there is no memory left", next_step="give it more, or less to do at once")
    return _of_server(error)


def _of_system(error: OSError) -> PgRehearseError | None:
    if error.errno not in _NEXT:
        return None
    reason = error.strerror or first_line(error)
    place = error.filename2 or error.filename
    path = place.decode("utf-8", "replace") if isinstance(place, bytes) else place
    return SetupError(reason, path=str(path) if path is not None else None, next_step=_NEXT[error.errno])


def _of_server(error: BaseException) -> PgRehearseError | None:
    driver = sys.modules.get("psycopg")  # what did not import it has no such error
    if driver is None or not isinstance(error, driver.Error):
        return None
    state = error.sqlstate or ""
    if not (state.startswith(_SERVERS) if state else isinstance(error, driver.OperationalError)):
        return None
    return SetupError(
        f"the server refused or ended the work: {first_line(error)}" + (f" ({state})" if state else ""),
        next_step="check that it runs, its log, and the rights and settings of the role; then run again",
    )
