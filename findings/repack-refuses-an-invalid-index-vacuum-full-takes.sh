#!/usr/bin/env bash
# REPACK refuses a table with an INVALID index; VACUUM FULL, which it replaces, takes it.
#
# Program   PostgreSQL 19rc1
# Tried     a unique index built concurrently that failed; VACUUM FULL, REPACK and REPACK (CONCURRENTLY)
# Seen      VACUUM FULL passes, both forms of REPACK end with 55000
# Matters   a maintenance script that was moved from VACUUM FULL to REPACK stops at tables where an index build once
#           failed. Drop INVALID indexes first
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
echo "with $(postgres --version)"
cluster prod
sql prod "create table orders (id int primary key, code int); insert into orders values (1, 1), (2, 1)"
expect 1 "could not create unique index" sql prod "create unique index concurrently orders_code on orders (code)"
expect 0 "^$" sql prod "vacuum full orders"
expect 1 "invalid index cannot be processed" sql prod "repack orders"
expect 1 "invalid index cannot be processed" sql prod "repack (concurrently) orders"
