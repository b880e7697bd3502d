"""A change goes from one environment to the next, through gates, by the hands of more than one person.

file        environments.toml of a project, read
databases   an environment's database: reached, and marked as the file says, or refused
rules       the gates: which there are, what each asks
transitions the steps a promotion may take
installing  the state machine that PostgreSQL itself enforces, installed from the one file sql/promotion.sql
store       what is requested, approved, applied: read, and changed by calling that state machine
demo        three databases and their people, to play with
audit       the chain of what happened, verified
"""
