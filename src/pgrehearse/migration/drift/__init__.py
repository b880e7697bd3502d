"""What two databases define differently: drift.

statements  the text of pg_dump, split at its statements
items       statements as items that can be compared without regard to order
dump        pg_dump itself
catalog     what pg_dump leaves out of a database
roles       what pg_dump leaves out of a cluster: roles, memberships, settings
schema      all of it, read from a database that is never written to
compare     two schemas side by side
"""

from pgrehearse.migration.drift.compare import Difference, Differences, differences
from pgrehearse.migration.drift.schema import Item, Schema, read

__all__ = ["Difference", "Differences", "Item", "Schema", "differences", "read"]
