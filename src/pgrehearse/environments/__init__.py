"""Which environment a database says it belongs to, and what may be done there.

names               which environments there are, safest first
marks               how a database says which one it is: read, written, never forged by a session
permissions         what may be done where: one table of operations and environments
connection_strings  a DSN in its parts, and libpq's variables that say the same
direct              no pooler in between, for what needs a session
rollouts            how a promotion goes over a group of databases: waves, and what stops it
declared            environments.toml: which there are, in which order, and what each asks for
target              the database somebody points at: reached, marked, or refused
"""
