"""The schema evolution policy, enforced: each numbered rule of its page is one or more checks.

``register`` names the checks. ``file`` reads a file, ``text_checks`` judges its text, ``history`` asks git or
a ledger. ``playback`` takes a disposable database through the files, where ``cost_checks`` judges what was
measured of each statement (``coverage`` says of how many), ``breaking`` compares what releases rely on
(``interface``), and ``comments`` looks for purposes. ``check`` orders them; ``squawk`` is a second opinion.
"""
