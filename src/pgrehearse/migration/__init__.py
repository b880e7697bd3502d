"""The life of migrations in a database: applied, undone, recorded, compared, tried.

plan       files against the ledger: applied, pending, edited, missing, late
ledger     what was done to a database, in the database
session    the one connection a runner works with: direct, locked against a second runner
watch      what a statement under way waits for, and how far it is
statement  what kind of statement it is, from its text
form       what a migration must not hold, because it could not be sent, recorded or resumed
measured   one statement, carried out and measured
remains    what an interrupted concurrent statement left, and what clears it away
section    the statements of one file's up or down part, resumed where they were interrupted
up         all of it in order, up and down
timing     what migrations cost, from the ledger
volume     the same, measured on many rows in a disposable database
budget     what statements may cost, and what exceeds it
"""
