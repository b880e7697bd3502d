"""Notebook front end: the export of documents, and the ``%%sql`` magic the exports use.

``%load_ext pgrehearse.notebook`` registers the magic. The only package that imports jupytext and IPython.
"""

from __future__ import annotations

from typing import Any

__all__ = ["load_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """Register ``%%sql`` in an IPython shell."""
    from pgrehearse.notebook.magic import SqlMagic

    shell.register_magics(SqlMagic(shell))
