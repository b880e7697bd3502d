"""Servers for rehearsals: started here, kept from an earlier run, or somebody else's by URL.

The only package that knows where PostgreSQL comes from.

base      what a server is to the rest of the program
pool      the servers of one run, one per major
local     those we start; cluster: their data directories; supervisor: who ends them; account: who runs them
given     a data directory that somebody else filled, served for a while
url       one that somebody else runs
process_environment  what processes we start get of ours: nothing that leads to another server or repository
ordinary  one seen through a role without powers
binaries  finds server and client programs; npm: downloads them
cache     the directory for downloads, prepared clusters, kept databases
remembered  what was found once, kept in the cache under all that it depends on
keeping   data directories that outlive their run
orphans   what killed runs left on this machine, cleared up; claimed: on a server of others
"""

from pgrehearse.servers.base import Server
from pgrehearse.servers.keeping import Kept, forget_kept, kept
from pgrehearse.servers.local import LocalServer, reopen, start
from pgrehearse.servers.ordinary import ordinary
from pgrehearse.servers.pool import Servers
from pgrehearse.servers.process_environment import libpq_environment
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
