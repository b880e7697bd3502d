"""What a database defines: read through pg_dump, taken apart, and laid side by side.

client_programs  the client programs of PostgreSQL, pointed at a database
dump        pg_dump itself
foreign_sql files of SQL that somebody else wrote, carried out statement by statement
extensions  those a file asks for, made before anything else of it
dump_text   the text of pg_dump, split at its statements
items       statements as items that can be compared without regard to order
kinds       what a statement of a dump is about
catalog     what pg_dump leaves out of a database
roles       what pg_dump leaves out of a cluster: roles, memberships, settings
definition  all of it, read from a database that is never written to
compare     two definitions side by side
repair      what makes one definition of another, as statements that nobody has tried yet
contents    definition and rows as text, so that two states of one database can be compared
"""

from pgrehearse.schema.compare import Difference, Differences, differences
from pgrehearse.schema.definition import Item, Schema, read

__all__ = ["Difference", "Differences", "Item", "Schema", "differences", "read"]
