"""The command line front end: test, lint, sync, run, psql."""
