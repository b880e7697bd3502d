"""What was done to a backup, and in which words each adapter refuses it: for tests and the reference page.

Names and words only: the tests of an adapter say how the damage is done, and look for the words.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["REFUSED", "damages_of", "words"]

_BASE, _DUMP, _BACKREST, _BARMAN, _OWN = "pg_basebackup", "pg_dump", "pgbackrest", "barman", "command"
_SERVER = "it is of the server"
_TARGET = "before configured recovery target was reached"
_SILENT = "a restore ends before it"
_NEVER = "is not in the archive: the backup cannot be started"
_BARMANS = "is not in Barman's archive: the backup cannot be started"
_CUT = "it is cut or damaged"
_LOST = "is present in the manifest but not on disk"
_SPECIAL = "is neither a file nor a folder"

#: damage -> adapter -> words
REFUSED: Mapping[str, Mapping[str, str]] = {
    "a byte of a file is another": {
        _BASE: "checksum mismatch for file",
        _DUMP: _CUT,
        _BACKREST: "is damaged: checksum invalid: 1",
        _BARMAN: "checksum mismatch for file",
    },
    "a byte of a catalog is another": {_BASE: "checksum mismatch for file"},
    "a letter of a plain dump is another": {_DUMP: "is not what it was when it was made"},
    "a byte of tar files is another": {_BASE: "checksum"},
    "a byte of the full backup below is another": {
        _BASE: "full is damaged: checksum mismatch",
        _BACKREST: "F is damaged: checksum invalid: 1",
    },
    "a file is gone": {
        _BASE: "but not on disk",
        _DUMP: _CUT,
        _BACKREST: "is damaged: missing: 1",
        _BARMAN: _LOST,
    },
    "a folder is gone": {_BASE: _LOST},
    "a file is too many": {_BASE: "is present on disk but not in"},
    "a FIFO lies in it": {_BASE: _SPECIAL, _DUMP: _SPECIAL},
    "a file was cut": {
        _DUMP: _CUT,
        _BACKREST: "is damaged: checksum invalid: 1",
        _BARMAN: "has size 5 on disk",
    },
    "a file is empty": {_DUMP: "it is empty", _BACKREST: "is damaged:"},
    "a plain dump was cut": {_DUMP: "the script is cut"},
    "a plain dump lacks its last lines": {_DUMP: "the script is cut"},
    "the contents of a dump were cut": {_DUMP: "its contents cannot be listed"},
    "it is something else": {_DUMP: "it is no dump", _OWN: "prints no JSON object"},
    "its description is gone": {_BASE: "backup_manifest cannot be read"},
    "its description was cut or changed": {_BASE: "backup_manifest is not whole", _BACKREST: "backup.info"},
    "backup_label is gone": {_BASE: "backup_label is missing"},
    "nothing has read it whole": {_BASE: "holds no checksums", _OWN: "has not read it whole"},
    "the full backup below is gone": {
        _BASE: "what it builds upon is not in",
        _BACKREST: "F is damaged: ",
    },
    "WAL of the backup is gone": {_BASE: "could not find", _BACKREST: _NEVER, _BARMAN: _BARMANS},
    "WAL of tar files is gone": {_BASE: "there is no WAL"},
    "WAL of the backup was cut": {_BARMAN: "is not whole: 5 of 16777216 bytes"},
    "a byte of WAL is another": {_BARMAN: "the copy did not start"},
    "WAL has the content of another": {_BACKREST: "the archived WAL is damaged: checksum invalid: 1"},
    "all WAL is gone": {_BACKREST: "verify says nothing of the archive", _BARMAN: _BARMANS},
    "WAL written since is gone in the middle": {_BACKREST: _SILENT, _BARMAN: _SILENT},
    "it is of another server": {_BASE: _SERVER, _BACKREST: _SERVER, _BARMAN: _SERVER, _OWN: _SERVER},
    "it is of another timeline": {_BASE: "it is of timeline 1, and the server is on 2"},
    "it is from before the last migration": {_BASE: "which was applied since"},
    "its program calls it failed": {_BARMAN: "FAILED"},
    "recovery does not get where it shall": {_BACKREST: _TARGET, _BARMAN: _TARGET},
    "the restore exits 0 and made nothing": {
        _BACKREST: "prints no JSON",
        _BARMAN: "the restore failed",
        _OWN: "restore exits 0 and prints no JSON object",
    },
    "what was restored does not answer": {_OWN: "the restored server does not answer"},
    "what was restored is the original itself": {_OWN: "is the server of shop itself"},
    "what was restored is not taken away": {_OWN: "the restored server was not taken away"},
    "rows are missing": {_BASE: "is empty in the copy, and had rows", _OWN: "rows"},
    "indexes and constraints are missing": {_DUMP: "the copy lacks the constraint"},
    "large objects are missing": {_DUMP: "the copy has 0 large objects, and"},
    "an empty table is missing": {_DUMP: "is not in the copy"},
    "an index lacks rows": {_BASE: "orders_word"},
    "it holds no canary of this database": {_BASE: "the copy holds canaries of another database"},
}


def words(damage: str, adapter: str) -> str:
    """How ``adapter`` refuses it. KeyError: the table does not say that it does."""
    return REFUSED[damage][adapter]


def damages_of(adapter: str) -> list[str]:
    """What is tried with ``adapter``."""
    return [damage for damage, by in REFUSED.items() if adapter in by]
