"""Servers for rehearsals: started here, kept from an earlier run, or somebody else's by URL.

The only package that knows where PostgreSQL comes from. ``start`` gives one disposable server, ``Servers`` a
pool with one per major; ``binaries`` finds server and client programs, ``orphans`` clears up
after killed runs.
"""

from pgrehearse.servers.base import Server, libpq_environment
from pgrehearse.servers.keeping import Kept, forget_kept, kept
from pgrehearse.servers.local import LocalServer, reopen, start
from pgrehearse.servers.ordinary import ordinary
from pgrehearse.servers.pool import Servers
from pgrehearse.servers.url import UrlServer

__all__ = [
    "Kept",
    "LocalServer",
    "Server",
    "Servers",
    "UrlServer",
    "forget_kept",
    "kept",
    "libpq_environment",
    "ordinary",
    "reopen",
    "start",
]
