#!/usr/bin/env bash
# PgBouncer's query_timeout ends the client of a CREATE INDEX CONCURRENTLY, and the build goes on.
#
# Program   PgBouncer 1.24 before PostgreSQL 18.6
# Tried     query_timeout = 1; an index is built CONCURRENTLY while an older transaction keeps the build waiting
# Seen      the client gets "query timeout" and its connection is closed; the server still builds, and the index
#           becomes valid once that transaction has ended
# Matters   a migration counts as failed while it is under way. Who repeats it gets 42P07, or with IF NOT EXISTS a
#           success for an index that is INVALID at that moment. Look at pg_stat_progress_create_index first
NEEDS=pgbouncer-1.24
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
sql prod "create table wishlists (id int)"
pooler pgbouncer prod transaction "query_timeout = 1"
mkfifo hold
psql -X -q -h "$work/prod" <hold >/dev/null &
exec 7>hold
echo "begin; lock table wishlists in row exclusive mode;" >&7
awaits "the older transaction" sh -c "test \$(psql -X -At -h $work/prod -c \"select count(*) from pg_locks where mode = 'RowExclusiveLock' and granted and relation = 'wishlists'::regclass\") = 1"
expect 2 "query timeout" psql -X -q "$pooled" -c "create index concurrently on wishlists (id)"
same "builds that go on" 1 "$(sql prod "select count(*) from pg_stat_progress_create_index")"
same "the index is valid" f "$(sql prod "select indisvalid from pg_index where indrelid = 'wishlists'::regclass")"
expect 0 "already exists, skipping" psql -X -q -h "$work/prod" -c "create index concurrently if not exists wishlists_id_idx on wishlists (id)" &
again=$!
echo "commit;" >&7
exec 7>&-
wait "$again"
valid() { [ "$(sql prod "select indisvalid from pg_index where indrelid = 'wishlists'::regclass")" = t ]; }
awaits "the index" valid
echo "the index became valid by itself"
