#!/usr/bin/env bash
# pg_stat_lock counts no wait that lock_timeout ended, however long it was.
#
# Program   PostgreSQL 19rc1
# Tried     deadlock_timeout 100 ms; a wait of half a second that lock_timeout ended, and one that got the lock
# Seen      the first is not counted, the second is
# Matters   a migration that gives way again and again leaves no trace there: the view cannot say how often changes are
#           refused. log_lock_waits can
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
echo "with $(postgres --version)"
cluster prod "deadlock_timeout = 100ms"
sql prod "create table orders (id int)"
mkfifo hold
psql -X -q -h "$work/prod" <hold >/dev/null &
exec 9>hold
held="psql -X -At -h '$work/prod' -c \"select count(*) from pg_locks where relation = 'orders'::regclass and granted\" | grep -qx"
counted="select waits from pg_stat_lock where locktype = 'relation'"
echo "begin; lock table orders;" >&9
awaits "the lock" sh -c "$held 1"
expect 1 "lock timeout" sql prod "set lock_timeout = '500ms'; lock table orders"
same "waits after the refused one" "0" "$(sql prod "$counted")"
sql prod "begin; lock table orders; commit" &
waiter=$!
awaits "the queue" sh -c "grep -q 'still waiting for AccessExclusiveLock on relation .* after 1' '$work/prod/log' && psql -X -At -h '$work/prod' -c \"select 1 from pg_locks where not granted\" | grep -q 1"
sleep 0.5  # the wait is to be longer than deadlock_timeout
echo "commit;" >&9
wait "$waiter"
exec 9>&-
same "waits after one that got the lock" "1" "$(sql prod "select pg_stat_force_next_flush(); $counted" | tail -n 1)"
wait
