#!/usr/bin/env bash
# After KILL and RESUME, PgBouncer lets clients wait for server_login_retry, 15 s, though the server is there.
#
# Program   PgBouncer 1.24 before PostgreSQL 18.6
# Tried     KILL of a database, RESUME, then a new client; one more came between KILL and RESUME
# Seen      the server answers at once when asked directly; by the pooler the first answer takes 15 s. It is instant
#           when nobody came in between, which is how it looks in a test
# Matters   KILL is taken for the quick way to free a lock before a schema change. It is an outage of a quarter of a
#           minute for everybody. Use PAUSE, which waits, or pg_terminate_backend for the one session in the way
NEEDS=pgbouncer-1.24
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
pooler pgbouncer prod transaction
same "server_login_retry by default, in seconds" 15 "$(console "SHOW CONFIG" | grep '^server_login_retry|' | cut -d'|' -f2)"
through "select 1" >/dev/null
console "KILL postgres"
through "select 'came in between'" >between 2>&1 &   # in production somebody always does
waits() { console "SHOW POOLS" | grep -q '^postgres|postgres|0|1|'; }
awaits "a client that waits" waits
console "RESUME postgres"
begun=$(date +%s)
same "asked directly" 1 "$(sql prod "select 1")"
same "asked by the pooler" 1 "$(through "select 1")"
took=$(($(date +%s) - begun))
echo "after $took s"
same "at least ten seconds, at most server_login_retry and ten more" yes "$([ "$took" -ge 10 ] && [ "$took" -le 25 ] && echo yes)"
