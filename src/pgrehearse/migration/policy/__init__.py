"""The schema evolution policy, enforced: each numbered rule of its page is one or more checks.

``source`` reads a file, ``form`` judges its text, ``history`` asks git and the ledger. ``stage`` takes a
disposable database through the files, where ``locks`` judges what was measured of each statement,
``breaking`` compares what releases rely on, and ``comments`` looks for purposes. ``check`` orders them.
"""
