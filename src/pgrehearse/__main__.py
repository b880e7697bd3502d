"""``python -m pgrehearse``."""

from pgrehearse.main import program

program()
