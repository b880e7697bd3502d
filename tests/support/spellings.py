"""Spellings of a migration file: what dbmate takes, what it refuses, and what only we refuse.

Each text makes the table ``a`` in its up part and drops it in its down part.
"""

from __future__ import annotations

__all__ = ["REFUSED", "STRICTER", "TAKEN"]

UP, DOWN = "CREATE TABLE a ();\n", "DROP TABLE a;\n"
PLAIN = f"-- migrate:up\n{UP}-- migrate:down\n{DOWN}"

#: Both take them, and do the same.
TAKEN = {
    "as usual": PLAIN,
    "no blank": PLAIN.replace("-- m", "--m"),
    "blanks and tabs": PLAIN.replace("-- m", "-- \t m"),
    "blanks behind": PLAIN.replace("up\n", "up  \t\n").replace("down\n", "down \n"),
    "options": PLAIN.replace("up\n", "up\ttransaction:false   a:b\n").replace("down\n", "down x y\n"),
    "option taken back": PLAIN.replace("up\n", "up transaction:false transaction:true\n"),
    "option in upper case": PLAIN.replace("up\n", "up transaction:FALSE\n"),
    "option with a comma": PLAIN.replace("up\n", "up transaction:false,\n"),
    "blank behind an option": PLAIN.replace("down\n", "down transaction:false \n"),
    "line ends of Windows": PLAIN.replace("\n", "\r\n"),
    "options before line ends of Windows": PLAIN.replace("up\n", "up transaction:false\n").replace(
        "\n", "\r\n"
    ),
    "comments above": f"\n  -- why\n\t\n--allow: nothing\r\n{PLAIN}",
    "a down mark as a comment above": f"-- migrate:downs\n{PLAIN}",
    "an empty comment above a mark": PLAIN.replace("-- migrate:down", "--\n-- migrate:down"),
    "another word": f"-- migrate:up\n{UP}-- migrate:downtime\nDROP TABLE a;{UP}-- migrate:down\n{DOWN}",
    "an indented mark": f"-- migrate:up\n{UP}  -- migrate:down\n-- migrate:down\n{DOWN}",
    "capitals": f"-- migrate:up\n{UP}-- Migrate:down\n-- migrate:down\n{DOWN}",
    "no line feed at the end": PLAIN.rstrip("\n"),
    "an empty part": "-- migrate:up\n-- migrate:down\n",
}
#: Both refuse them.
REFUSED = {
    "nothing": "",
    "plain SQL": UP,
    "an indented up": f" {PLAIN}",
    "up in capitals": PLAIN.replace("migrate:up", "MIGRATE:UP"),
    "a colon behind": PLAIN.replace("up\n", "up:\n"),
    "a no-break space": PLAIN.replace("-- m", "--\u00a0m"),
    "a vertical tab": PLAIN.replace("-- m", "--\vm"),
    "a byte order mark": f"\ufeff{PLAIN}",
    "a byte order mark before a comment": f"\ufeff-- why\n{PLAIN}",
    "a statement above": f"SET a.b = 'c';\n{PLAIN}",
    "a block comment above": f"/* why */\n{PLAIN}",
    "down above up": f"-- migrate:down\n{DOWN}-- migrate:up\n{UP}",
    "two down parts": f"{PLAIN}-- migrate:down\n",
    "several parts of each": PLAIN + PLAIN.replace("TABLE a", "TABLE b"),
    "two up parts": f"-- migrate:up\n{PLAIN}",
    "carriage returns only": PLAIN.replace("\n", "\r"),
    "a mark in a string": f"-- migrate:up\n{UP}COMMENT ON TABLE a IS '\n-- migrate:down\n';\n",
    "a mark in a comment": f"-- migrate:up\n{UP}/*\n-- migrate:down\n*/\n",
    "a mark in a body": f"-- migrate:up\n{UP}DO $$ BEGIN\n-- migrate:down\nEND $$;\n",
    "a mark across lines": f"--\nmigrate:up\n{UP}-- migrate:down\n{DOWN}",
    "a mistyped down": f"-- migrate:up\n{UP}-- migrate:downs\n{DOWN}",
    "an indented down": f"-- migrate:up\n{UP} -- migrate:down\n{DOWN}",
}
#: dbmate takes them; here they are refused, because they are not what their author meant.
STRICTER = {
    "a down mark above": f"-- migrate:down\n{PLAIN}",
    "a down mark across lines": f"-- migrate:up\n{UP}--\nmigrate:down\n{DOWN}",
    "a carriage return behind a mark": PLAIN.replace("up\nCREATE", "up\rCREATE"),
    "form feeds": PLAIN.replace("-- m", "--\fm"),
    "a carriage return in a comment": f"-- migrate:up\n-- why\rCREATE TABLE a ();\n-- migrate:down\n{DOWN}",
}
