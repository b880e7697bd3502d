"""The command line front end: a module for each subcommand, ``backup db pool promote`` are folders.

What they share: ``lazy`` imports a command when it is used, ``streams`` are its input and output, which may
be closed or full, ``terminal`` prints tables and progress, ``workflow_commands`` keeps text of
others from being obeyed in a log, ``formats`` is ``--format``,
``run_terminal`` tells and asks about a run, ``zoo`` is what ``rehearse --zoo`` does.
"""
