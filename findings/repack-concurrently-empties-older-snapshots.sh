#!/usr/bin/env bash
# REPACK (CONCURRENTLY) makes a table empty for a report that began before it, without an error.
#
# Program   PostgreSQL 19rc1
# Tried     a REPEATABLE READ transaction that has read another table; REPACK (CONCURRENTLY), REPACK and VACUUM FULL of a
#           table it reads afterwards
# Seen      after REPACK (CONCURRENTLY) it sees no row; after the others it sees all
# Matters   a dump or a report that overlaps the maintenance window is wrong and does not know it
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
echo "with $(postgres --version)"
cluster prod
sql prod "create table orders (id int primary key); insert into orders select generate_series(1, 10)"
sql prod "create table other (id int)"
report() {
  psql -X -q -At -h "$work/prod" <<SQL
begin isolation level repeatable read;
select count(*) from other;
\\! psql -X -q -h "$work/prod" -c "$1" >&2
select count(*) || ' orders' from orders;
SQL
}
expect 0 "^10 orders" report "vacuum full orders"
expect 0 "^10 orders" report "repack orders"
expect 0 "^0 orders" report "repack (concurrently) orders"
same "a new transaction" "10" "$(sql prod "select count(*) from orders")"
