"""Backups that were restored before anybody needs them, and the receipts that say so.

A backup is proven in steps, and each says more than the one before: listed < read whole < restored <
queried < canary read back. What was seen becomes a receipt, which the gate of promotion reads.

levels        those steps: one ordered enum
receipt       what was proven of one backup, to and from JSON
proof         collects it: a line for each thing that was looked at
adapter       what every adapter can do: the interface; adapters: which there are
programs      PostgreSQL's backup programs and those of others: found, run, told about
room          a folder for a copy: space checked first, nothing left behind
physical      a copy of a data directory: disarmed, started, recovery proven
base_backup   the adapter of pg_basebackup: plain, tar, a chain of incrementals
manifest      what base backups say of themselves; tar: those that are tar files
dump_backup   the adapter of pg_dump; checksums: beside its files; loading: into a server of its own
pg_dump       the program: called and watched, as pg_basebackup is in its module
pg_basebackup the program: called and watched
copying       a folder copied, with what its links lead to
pgbackrest, barman   those of these programs; own_command: of one of yours
recovery      where recovery stops, and gaps in the WAL on the way there
canary        a row written before the backup, to be read back from the copy
original      the database that was backed up: what a copy of it has to hold
questions     what is asked of a copy; indexes: each against its table, meanwhile
verify        from listed to canary read back; beside: reads it while the copy is made
take          a backup is made
receipt_store  receipts in the database they are about, and as files
demand        what an environment asks of a receipt, and what is missing
"""
