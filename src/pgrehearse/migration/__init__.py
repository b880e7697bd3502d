"""The life of migrations in a database.

runner  applied and undone, one runner at a time, recorded in the database
drift   what a database has and the migrations do not
policy  the rules a migration is held to
smoke   what a schema promises, tried
trial   the migrations themselves, tried on databases made for it
timing  what they cost
"""
