"""Carries migrations out, and keeps what was done in the database.

exclusive  the one connection a runner works with: direct, locked against a second runner
ledger     what was done to a database, in the database; ledger_rows: what it keeps
foreign_ledgers  whether another tool says that it migrates the database
versions   files against the ledger: applied, pending, edited, missing, late, withdrawn
own_session  what our own statements run in; ledger_shape: whether the ledger is one
transaction  one transaction whose end is known from the server
attempt    one attempt at one section, whichever way it is carried out
whole      a section as one transaction; its statements go in batches, through a pipeline, and between two
           of them a question says what the first has done; a spool keeps what they cost
without_transaction  a section without one: each statement by itself; carry_out: carried out and measured
unseen     what a statement left to the session that its text does not say
table_files  the files of tables, which say what was rewritten
watched_statements  what a statement under way waits for, and how far it is
notices    what the server says meanwhile
leftovers  what an interrupted concurrent statement left, and what clears it away
section    one file's up or down part
runner     all of it in order, up and down
"""
