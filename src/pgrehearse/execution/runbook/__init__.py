"""A runbook on an operator's database: step by step, recorded, resumed where it stopped. No terminal here.

run         one run, from the first step to the last; begin here
reporter    what a run tells and asks
parameters  the values of a run
steps       the cells of a run, and what they are to an operator
session_start, lock_waits   how a session begins; how long its statements wait for a lock
preview     what a step would send now
plain_sql   the steps as SQL that any client sends
operator    one step: asked for, carried out, tried again, checked
surprises, near_names   what is said of a step that went wrong; what a name may mean
watch       who blocks a statement, how far it is, what it says; heard: what was told of that
locks       of one runbook on one database there is one run
recorded    what is recorded of a run
run_ledger  what was done to the database, kept in it
bookkeeping along with each statement: recorded with it, and not done twice; framing: in which transaction
remains     what an interrupted build left
session_state  what ended with the session of an earlier run, made again or missed
run_log     an account of the run, on disk before the next step
"""
