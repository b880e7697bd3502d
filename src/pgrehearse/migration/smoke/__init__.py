"""Smoke tests: ``db/smoke.sql`` says what a schema promises, and a run shows whether the database keeps it.

contract   the file: directives in comments, and the statements they are about
objects    what of a database has to be in the contract, from its catalogs
statements the statements of an entry, carried out and undone
plans      whether a query uses an index
checks     one entry against the database
smoke      all of it in one transaction that is rolled back
"""
