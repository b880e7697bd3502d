#!/usr/bin/env bash
# In a pipeline CREATE INDEX CONCURRENTLY is answered, and then INVALID because a later command failed.
#
# Program   psycopg 3.3.9, PostgreSQL 18.6; the same with 15.18
# Tried     pipeline mode in autocommit: CREATE INDEX CONCURRENTLY, then a statement that fails
# Seen      the server answered CREATE INDEX for the first one. Its last transaction was rolled back with the error
#           of the second, and the index is INVALID
# Matters   an answer is no proof in a pipeline before the Sync. Send such statements alone, and read indisvalid
. "$(dirname "$0")/lib.sh"
postgresql
python_package "psycopg[binary]==3.3.9"
cluster prod
sql prod "create table t (a int)"
work=$work python3 - <<'PYTHON'
import os
import psycopg

with psycopg.connect(f"host={os.environ['work']}/prod dbname=postgres user=postgres", autocommit=True) as client:
    built = client.cursor()
    try:
        with client.pipeline():
            built.execute("CREATE INDEX CONCURRENTLY i ON t (a)")
            client.execute("SELECT 1/0")
    except psycopg.Error as error:
        print("the second:", error.sqlstate)
    print("the first:", built.statusmessage)
    assert built.statusmessage == "CREATE INDEX"
PYTHON
same "the index is valid" f "$(sql prod "select indisvalid from pg_index where indexrelid = 'i'::regclass")"
