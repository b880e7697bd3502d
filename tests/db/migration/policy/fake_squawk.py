"""Stands in for Squawk: notes how it was called, and says what Squawk 2.70.0 said of such a statement."""

import json
import sys
from pathlib import Path

SAID = {
    "file": "0002_change.sql",
    "line": 2,
    "column": 12,
    "level": "Warning",
    "message": "Renaming a column may break existing clients.",
    "help": None,
    "rule_name": "renaming-column",
    "column_end": 50,
    "line_end": 2,
}
if "--version" in sys.argv:
    sys.stdout.write("squawk 2.70.0\n")
else:
    call = {"arguments": sys.argv[1:], "text": sys.stdin.read()}
    Path(sys.argv[0]).with_suffix(".called").write_text(json.dumps(call))
    sys.stdout.write(json.dumps([SAID]))
