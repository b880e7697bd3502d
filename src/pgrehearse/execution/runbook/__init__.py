"""A runbook on an operator's database: step by step, logged, resumed where it stopped. No terminal here.

run         one run, from the first step to the last; begin here
reporter    what a run tells and asks
parameters  the values of a run
steps       the cells of a run, and what they are to an operator
operator    one step: asked for, carried out, tried again, checked
run_log     what was done, on disk before the next step
resume      what an earlier run has done already, from its log
"""
