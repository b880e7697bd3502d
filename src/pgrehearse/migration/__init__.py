"""The life of migrations in a database: applied, undone, recorded, compared, tried.

plan       files against the ledger: applied, pending, edited, missing, late
ledger     what was done to a database, in the database
session    the one connection a runner works with: direct, locked against a second runner
watch      what a statement under way waits for, and how far it is
statement  one statement, carried out and measured
section    the statements of one file's up or down part, resumed where they were interrupted
up, down   all of it in order
"""
