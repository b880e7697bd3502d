#!/usr/bin/env bash
# In transaction mode two clients of PgBouncer both get the same advisory lock, and it outlives them.
#
# Program   PgBouncer 1.24 before PostgreSQL 18.6
# Tried     two clients ask for pg_try_advisory_lock(1); then both leave, and a third asks past the pooler
# Seen      t for both: the lock belongs to the server connection they share. It stays when they have left; the next
#           process that takes the lock, directly or by another server connection, waits for nobody it can find
# Matters   migration tools guard against a second runner by such a lock. Behind a pooler two run at once, or none
#           any more: every new process of an application waits in its migration step
NEEDS=pgbouncer-1.24
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
pooler pgbouncer prod transaction
same "the first client gets the lock" t "$(through 'select pg_try_advisory_lock(1)')"
same "the second gets it too" t "$(through 'select pg_try_advisory_lock(1)')"
same "a third, past the pooler, while no client is connected" f "$(sql prod 'select pg_try_advisory_lock(1)')"
holder="select a.state, a.query from pg_locks l join pg_stat_activity a using (pid) where l.locktype = 'advisory'"
same "who holds it" "idle|select pg_try_advisory_lock(1)" "$(sql prod "$holder")"
console "RECONNECT" >/dev/null
free() { [ "$(sql prod 'select pg_try_advisory_lock(1)')" = t ]; }
awaits "the lock, after RECONNECT" free
echo "after RECONNECT it is free"
