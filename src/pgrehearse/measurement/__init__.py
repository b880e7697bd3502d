"""What servers did: locks, rewrites, blocking, and how runbooks behave when something goes wrong.

statement   one statement: locks, rewrites, scans, who waits
xray        the statements of a file (xray_steps), each on the state the earlier ones left (xray_rows);
            xray_schema: what they find; untaken: what code that they carry out did not do there,
            by what was noted; unwatched: what no lock tells
made_rows   rows for tables that nobody gave any
cells       the DDL of a document, and what its cells claim; replay: the databases they find
review      a document against its claims and its committed evidence
rehearsals  a runbook: straight, undone, repeated, interrupted, under traffic
zoo         a runbook on tables that nobody made for it
recordings  a change of a guide under traffic, the unsafe and the safe way
traffic     readers and writers beside something else, and what they noticed
rates       what each GB of a table costs: seconds and disk, by kind of work
pool_sizing throughput and latency of a bounded load by its number of connections
evidence    all of that as files below ``evidence/``
words       the facts for people: who waits, for how long, what is locked
advice      which page of the handbook has the safe way
"""
