#!/usr/bin/env bash
# In 19 the first SELECT after a load writes: it sets the visibility map, in 18 only VACUUM did.
#
# Program   PostgreSQL 18.6 and 19rc1
# Tried     100,000 rows loaded, autovacuum off, then SELECT count(*) twice; pages marked all-visible afterwards
# Seen      none in 18; most in 19, with WAL that the SELECTs wrote
# Matters   reads after a backfill or a restore dirty pages and fill WAL: on a replica's link and in backups the cost of
#           a migration comes later than the migration
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
seen() {
  cluster "$1" "autovacuum = off" >/dev/null
  sql "$1" "create extension pg_visibility; create table orders (id int); insert into orders select generate_series(1, 100000)"
  sql "$1" "checkpoint"
  sql "$1" "select count(*) from orders" >/dev/null
  sql "$1" "select count(*) from orders" >/dev/null
  sql "$1" "select case when all_visible > 0 then 'marked' else 'none' end from pg_visibility_map_summary('orders')"
}
echo "with $(postgres --version)"
nineteen=$(seen new)
halt new
postgresql
same "19, pages all-visible after SELECT" "marked" "$nineteen"
same "18, pages all-visible after SELECT" "none" "$(seen old)"
