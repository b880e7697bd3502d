"""The schema evolution policy, enforced: each numbered rule of its page is one or more checks.

``register`` names the checks. ``judged_file`` reads a file, ``text_checks`` judges its text, ``history``
asks git or a ledger. ``playback`` takes a disposable database through the files, ``seen`` is what it shows
of one file, and ``memory`` keeps that. ``cost_checks`` judges what was measured of each statement
(``coverage`` says of how many), ``breaking`` compares what releases rely on (``interface``), ``comments``
looks for purposes. ``policy_run`` goes through the files, ``all_checks`` begins and ends, into a
``report``; ``squawk`` is a second opinion. ``unseen_code`` says what code did not do here.
"""
