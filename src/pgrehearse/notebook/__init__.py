"""Notebook front end: the export of documents, and the magics ``%%sql`` and ``%%cell`` the exports use.

``export`` makes them, ``magic`` runs them, ``expected`` is the output a cell carries, ``command`` the
subcommand.

``%load_ext pgrehearse.notebook`` registers them. The only package that imports jupytext and IPython.
"""

from __future__ import annotations

from typing import Any

__all__ = ["load_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """Register the magics in an IPython shell."""
    from pgrehearse.notebook.magic import CellMagics

    shell.register_magics(CellMagics(shell))
