#!/usr/bin/env bash
# A database renamed while PgBouncer 1.18 is paused: after RESUME its clients wait for query_wait_timeout, then fail.
#
# Program   PgBouncer 1.18 before PostgreSQL 18.6
# Tried     PAUSE, ALTER DATABASE app RENAME TO app_v2, RESUME, then a query of a client that stayed connected
# Seen      no error that names the database: the query waits, by default 120 s, then 08P01 query_wait_timeout
# Also      1.24 and 1.26 say at once that the database does not exist
# Matters   PAUSE is how a change without errors is made. It hides what becomes of the name: let [databases] of
#           PgBouncer map the old name to the new one (and RELOAD) before RESUME, and no client notices
NEEDS=pgbouncer-1.18
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
sql prod "create database app"
pooler pgbouncer prod transaction
same "query_wait_timeout by default, in seconds" 120 "$(console "SHOW CONFIG" | grep '^query_wait_timeout|' | cut -d'|' -f2)"
pooler pgbouncer prod transaction "query_wait_timeout = 4"
mkfifo questions answers
psql -X -q -At "host=$work/pool port=6432 dbname=app user=postgres" <questions >answers 2>&1 &
exec 7>questions 8<answers
echo "select 'first';" >&7
read -r answer <&8
same "the client's first answer" first "$answer"
console "PAUSE app"
sql prod "alter database app rename to app_v2"
console "RESUME app"
begun=$(date +%s)
echo "select 'second';" >&7
read -r answer <&8
ended=$(date +%s)
same "what it gets after the rename" "yes" "$(grep -q query_wait_timeout <<<"$answer" && echo yes || echo "$answer")"
echo "after $((ended - begun)) s"
[ $((ended - begun)) -ge 3 ]
exec 7>&- 8<&-
