"""Evidence: what was measured, committed below ``evidence/``, one small JSON file a document.

cells        facts of a document's DDL
rehearsals   a runbook's five rehearsals
zoo          runbooks on tables of other shapes
recordings   a guide's changes under traffic
rates        what each GB of a table cost on a machine
differences  what is not as committed, in words
seals        what was edited after it was measured
"""
