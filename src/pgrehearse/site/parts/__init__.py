"""Pieces of pages, made of records and evidence: a module prepares what the templates named after it show.

cell_block        a block with its chips, facts and failure; fact_lines: what was measured of one cell
sent              what a step of a runbook sent, and behind which line its other blocks are folded
sent_block        that as a block; slots: where a reader's own values go in it
lock_reference    every measured kind of statement; changed: what differs between two majors
runbook_summary   the first screen of a runbook; sends: its statements; step_summary: what each step did
cost              what each GB of a table costs: of a runbook, and of every kind of work
bystanders        whom else it meets: standbys, autovacuum, poolers, subscribers
rehearsals        the five rehearsals of a runbook, and the matrix of all
other_tools       whether a change was executed with other migration tools, and where that is shown
zoo               the tables a runbook was tried on, and the matrix of all
timelines         recordings of live traffic; drawing: one of them as SVG
proof_tables      what ran, by document and by server
benchmark         a number of a committed benchmark
sqlstate          names of error codes
"""
