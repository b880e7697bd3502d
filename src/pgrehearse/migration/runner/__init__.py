"""Carries migrations out, and keeps what was done in the database.

exclusive  the one connection a runner works with: direct, locked against a second runner
ledger     what was done to a database, in the database
versions   files against the ledger: applied, pending, edited, missing, late, withdrawn
own_session  what our own statements run in; ledger_shape: whether the ledger is one
transaction  one transaction whose end is known from the server
attempt    one attempt at one section
unseen     what a statement left to the session that its text does not say
watch      what a statement under way waits for, and how far it is
carry_out  one statement, carried out and measured
leftovers  what an interrupted concurrent statement left, and what clears it away
section    the statements of one file's up or down part, resumed where they were interrupted
runner     all of it in order, up and down
"""
