"""``python -m pgrehearse``."""

from pgrehearse.main import main

main()
