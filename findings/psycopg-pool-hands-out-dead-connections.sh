#!/usr/bin/env bash
# After a restart of the server psycopg_pool hands out every dead connection once; a check at the loan prevents it.
#
# Program   psycopg_pool 3.3.3 with psycopg 3.3.9, PostgreSQL 18.6
# Tried     a pool of three, each used once; the server restarts; six requests follow. Then the same with
#           check=ConnectionPool.check_connection
# Seen      as many requests fail as connections lay idle (57P01), then all go well. With the check none fails
# Matters   a fail-over costs as many errors as the pool is large, long after the server is back
. "$(dirname "$0")/lib.sh"
postgresql
python_package "psycopg[binary]==3.3.9" "psycopg-pool==3.3.3"
cluster prod
cat >pool.py <<'PYTHON'
import logging, os, subprocess, sys
import psycopg
from psycopg_pool import ConnectionPool

logging.disable()
work = os.environ["work"]
options = {"check": ConnectionPool.check_connection} if "check" in sys.argv else {}
with ConnectionPool(f"host={work}/prod dbname=postgres user=postgres", min_size=3, max_size=3, **options) as pool:
    pool.wait()
    subprocess.run(["pg_ctl", "-D", f"{work}/prod/data", "-w", "-m", "fast", "restart"], check=True, stdout=subprocess.DEVNULL)
    failed = 0
    for _ in range(6):
        try:
            with pool.connection() as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            failed += 1
    print(failed, "of 6 requests failed")
PYTHON
export work
expect 0 "3 of 6 requests failed" python3 pool.py
expect 0 "0 of 6 requests failed" python3 pool.py check
