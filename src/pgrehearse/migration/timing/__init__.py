"""What migrations cost, and whether they cost more than they may.

costs    from the ledger of a database
volume   measured on many rows in a disposable database
budgets  what statements may cost, and what exceeds it
"""
