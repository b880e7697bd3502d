"""Cells and runbooks on databases.

polling        one statement on a connection, sent and looked at without blocking us
session        one connection; statements are sent one message each
escort         what is sent around a statement: transactions, checks, records
unlimited      sessions whose statements take as long as they must
onlooker       who watches a session at work; blockers: who makes it wait
session_only   whether a statement that makes the session does nothing else
executor       the cells of a document in order, in named sessions
psql_format    results printed as psql prints them
cell_messages  what a cell sends, whoever sends it
cell_checks    what a cell says against what it did; output_match: expected output against actual
bounds         how much a cell may print
python_cell, bash_cell, python_worker   cells of other languages; cell_process: the processes they run in
cell_keeper    what ends all that a cell started, however cell and run end
folders        the folder of bash cells, held and laid out again
traces         whether a bash cell changed anything on the server; shared: what a document left on it
maker          databases on a server: copied from a template, marked, dropped
databases      fresh databases, cloned from a template
assumed_roles  roles that files take for granted, or make, on a disposable server
seeds          the rows of a project's seed
rehearser      documents on fresh databases; results: what came of it; records: the same, on disk
record_basis   what a run depends on besides the document: a record made with others is stale
accept         outputs taken as the expected ones
runbook        a runbook on an operator's database
exclusion      advisory locks that keep runners and runs out of each other's way
own_tables     what is kept in a database: its schema, its tables, whether they can be trusted
backoff        another try of what got no lock: of a runbook's step, of a migration
"""
