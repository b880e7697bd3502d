"""Faults at chosen moments, and what must hold after them.

wire       a connection to a server that counts requests, and lets a fault happen before, during or after one
cluster    a server that may crash, lose its standby, or run out of room, and comes back
moments    which moments there are, and which of them this run takes
happening  the faults: signals, lost backends, crashes, cuts, a second runner
scenarios  migrations and a runbook: the commands they happen to, and what each must have done in the end
documents  the same for test and build
promotion  the same for the whole story of two promotions
remains    what nobody may leave behind
trial      one moment, from the undisturbed start to the judgement
"""
