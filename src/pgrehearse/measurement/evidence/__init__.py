"""Evidence: what was measured, committed below ``evidence/``, one small JSON file a document.

cells        facts of a document's DDL
rehearsals   a runbook's five rehearsals
recordings   a guide's changes under traffic
differences  what is not as committed, in words
seals        what was edited after it was measured
"""
