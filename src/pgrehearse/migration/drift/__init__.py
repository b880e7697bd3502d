"""Drift: what a database has and its migrations do not say.

comparisons  live against migrations, migrations against the schema file
live         the database that is looked at, and what a scratch server needs to know of it
memory       databases that were compared and clean, and are known again
made         what migrations or a file define, made on such a server once and then known
scratch      a scratch server with databases that hold what files define; lent: roles and rights it lends
repairs      SQL that puts drift right, proven on copies of the scratch database (copies)
ignoring     drift that a project does not want to hear of, with reasons
ddl_log      an optional log of DDL that came past the runner, so that drift has a name and a time
"""
