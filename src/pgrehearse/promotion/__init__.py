"""A change goes from one environment to the next, through gates, by the hands of more than one person.

file        environments.toml of a project, read
databases   an environment's database: reached, and marked as the file says, or refused
installing  the state machine that PostgreSQL itself enforces, installed from the one file sql/promotion.sql
store       what is requested, approved, applied: read, and changed by calling that state machine
audit       the chain of what happened, verified
"""
