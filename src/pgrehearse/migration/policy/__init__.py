"""The schema evolution policy, enforced: each numbered rule of its page is one or more checks.

``file`` reads a file, ``text_rules`` judges its text, ``history`` asks git and the ledger. ``playback`` takes
a disposable database through the files, where ``cost_rules`` judges what was measured of each statement,
``breaking`` compares what releases rely on, and ``comments`` looks for purposes. ``check`` orders them.
"""
