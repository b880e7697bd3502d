#!/usr/bin/env bash
# ALTER TABLE and REPACK (CONCURRENTLY) of a table deadlock while the copy waits for writers; either of them may be ended.
#
# Program   PostgreSQL 19rc1
# Tried     a transaction that has written to another table; REPACK (CONCURRENTLY), which waits for it. Then ALTER TABLE of
#           the table, in that transaction; or in a session of its own, while that transaction ends
# Seen      40P01 both times: who queues for ACCESS EXCLUSIVE has a transaction id already, for standbys, so the copy waits
#           for it as for a writer, while it waits for the copy. Who looks first for a deadlock is ended: ALTER TABLE, or the copy
# Matters   a migration that waits for its lock longer than deadlock_timeout fails, or ends the copy. Let no DDL of the table
#           begin before the copy has left the phase "initializing"
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
echo "with $(postgres --version)"
cluster prod
sql prod "create table orders (id int primary key); create table other (id int)"
waits() {
  awaits "$1 to wait" sh -c "psql -X -At -h '$work/prod' -c \"select cardinality(pg_blocking_pids(pid)) from pg_stat_activity where query like '$1%'\" | grep -q '^1'"
}
both() {   # a transaction that writes and a copy that waits for it; both look for a deadlock after $1
  sql prod "alter system set deadlock_timeout = '$1'"
  sql prod "select pg_reload_conf()" >/dev/null
  mkfifo "hold-$1"
  psql -X -q -h "$work/prod" <"hold-$1" >"writer-$1" 2>&1 &
  exec 9>"hold-$1"
  echo "begin; insert into other values (1);" >&9
  awaits "the writer" sh -c "psql -X -At -h '$work/prod' -c \"select 1 from pg_stat_activity where state = 'idle in transaction'\" | grep -q 1"
  psql -X -q -h "$work/prod" -c "repack (concurrently) orders" >"copy-$1" 2>&1 9>&- &
  waits "repack"
}
ended() { grep -oh "deadlock detected" "$1" || echo "done"; }

both 1h
echo "set deadlock_timeout = '100ms'; alter table orders add column note text;" >&9
exec 9>&-
wait
same "ALTER TABLE in the transaction that wrote" "deadlock detected" "$(ended writer-1h)"
same "the copy" "done" "$(ended copy-1h)"

both 1s
PGOPTIONS="-c deadlock_timeout=1h" psql -X -q -h "$work/prod" -c "alter table orders add column note text" >alter 2>&1 9>&- &
waits "alter table"
exec 9>&-
wait
same "the copy, beside ALTER TABLE in a session of its own" "deadlock detected" "$(ended copy-1s)"
same "ALTER TABLE" "done" "$(ended alter)"
