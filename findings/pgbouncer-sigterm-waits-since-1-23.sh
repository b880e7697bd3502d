#!/usr/bin/env bash
# SIGTERM: PgBouncer 1.18 ends at once and breaks open transactions; 1.24 stays until the last client has left.
#
# Program   PgBouncer 1.18 and 1.24 before PostgreSQL 18.6
# Tried     SIGTERM while one client is in a transaction
# Seen      1.18: gone at once, the transaction is lost. 1.24: new clients are refused, the connected one works on,
#           and the process ends when it leaves
# Matters   an application's own pool never leaves: "systemctl stop" of 1.24 runs into its time limit, and scripts that
#           stop the pooler to keep clients away get old clients that write during the change. 1.18 loses their work
NEEDS="pgbouncer-1.18 pgbouncer-1.24"
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
sql prod "create table t (note text)"
client() {   # PROGRAM: a client in a transaction, on file descriptor 7, its answers on 8
  pooler "$1" prod transaction
  rm -f questions answers; mkfifo questions answers
  psql -X -q -At "$pooled" <questions >answers 2>&1 &
  exec 7>questions 8<answers
  echo "begin; insert into t values ('$1'); select 'in a transaction';" >&7
  read -r answer <&8
  echo "the client: $answer"
  kill -TERM "$(cat "$work/pool/pid")"
}
client pgbouncer-1.18
gone() { [ ! -e "$work/pool/pid" ]; }
awaits "the end of 1.18" gone
same "1.18 ended, rows that arrived" 0 "$(sql prod "select count(*) from t")"
exec 7>&- 8<&-
client pgbouncer-1.24
refused() { ! through "select 1"; }
awaits "new clients to be refused" refused
echo "commit; select 'committed';" >&7
read -r answer <&8
same "1.24: the connected client still works" committed "$answer"
same "and so did its transaction" 1 "$(sql prod "select count(*) from t")"
exec 7>&- 8<&-
awaits "the end of 1.24, now that its client has left" gone
