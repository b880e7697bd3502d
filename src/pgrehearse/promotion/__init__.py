"""A change goes from one environment to the next, through gates, by the hands of more than one person.

environments_file  environments.toml of a project, read
reached         an environment's databases: reached, and marked as the file says, or refused
gate_table      the gates: which there are, and what each asks
installing      the state machine that PostgreSQL itself enforces, installed from sql/promotion.sql
transitions     the steps a promotion may take, as that file says them
store           what is requested, approved, applied: read, and changed by calling that state machine
audit           the chain of what happened, verified
plan            exactly these migrations for exactly these databases, under one hash
measured        what a plan did on a disposable server
gates           the gates, answered
backed_up       the receipts of backups, read for their gate
prepared        what a command about one environment begins with
apply           a promotion is carried out, once every gate is green
one_database    in one of its databases, step by step
rollout         in several, wave after wave, until something stops it
visits          those databases, as the state machine keeps them
visit           a worker takes one after the other, and says that it is there
standbys        how far the standbys of a database are behind
workers         the processes that do so, and what gives databases to them
queue           what databases reach workers by: the one module that knows procrastinate
ledger_readers  who takes part may read what is pending
quantities      how many, and how long
demo            three databases and their people, to play all this with
asking_shell    the shell they are made for
"""
